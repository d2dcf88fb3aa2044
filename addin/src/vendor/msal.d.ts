// Microsoft's sign-in as a script: it puts itself into the global `msal`. Version and origin: addin/package.json.
export {};

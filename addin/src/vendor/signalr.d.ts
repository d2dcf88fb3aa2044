// Microsoft's client as a script: it puts itself into the global `signalR`. Version and origin: addin/package.json.
export {};

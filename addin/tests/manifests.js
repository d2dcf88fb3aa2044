// Reads both manifests of a folder with Microsoft's own reader and prints what it understood; a wrong one ends with an error.

import path from "node:path";

import { OfficeAddinManifest } from "office-addin-manifest";

const folder = process.argv[2];
const read = await Promise.all(["manifest.xml", "manifest.json"].map((name) => OfficeAddinManifest.readManifestFile(path.join(folder, name))));
console.log(JSON.stringify(read.map(({ id, version, displayName }) => ({ id, version, displayName }))));

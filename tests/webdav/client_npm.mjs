// Round-trips a tree with the npm package "webdav": node client_npm.mjs URL SOURCE TARGET (directories)
import { createClient } from "webdav";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [url, source, target] = process.argv.slice(2);
const client = createClient(url);

async function upload(directory, remote) {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
        const path = `${remote}/${entry.name}`;
        if (entry.isDirectory()) {
            await client.createDirectory(path);
            await upload(join(directory, entry.name), path);
        } else {
            await client.putFileContents(path, readFileSync(join(directory, entry.name)));
        }
    }
}

async function download(remote, directory) {
    mkdirSync(directory, { recursive: true });
    for (const entry of await client.getDirectoryContents(remote)) {
        const path = join(directory, entry.basename);
        if (entry.type === "directory") {
            await download(entry.filename, path);
        } else {
            const content = await client.getFileContents(entry.filename);
            if (content.byteLength !== entry.size) throw new Error(`${entry.filename}: ${content.byteLength} bytes`);
            writeFileSync(path, Buffer.from(content));
        }
    }
}

await upload(source, "");
await client.createDirectory("/moved to");
for (const entry of await client.getDirectoryContents("/")) {
    if (entry.basename !== "moved to") await client.moveFile(entry.filename, `/moved to/${entry.basename}`);
}
const lock = await client.lock("/moved to");
await client.unlock("/moved to", lock.token);
const quota = await client.getQuota();
if (!(quota.available > 0)) throw new Error("no quota");
await client.copyFile("/moved to", "/copied");
await download("/copied", target);
await client.deleteFile("/copied");
if (await client.exists("/copied")) throw new Error("it is still there");

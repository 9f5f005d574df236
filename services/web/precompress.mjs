// Writes .br and .gz beside the built files, which api_gateway serves to browsers that take them: compressing once here
// costs nothing there. Usage: node ../precompress.mjs DIST
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

// Smaller files gain nothing: they fit into one packet anyway.
const worthwhileBytes = 1400;
const texts = /\.(js|css|svg|html|json|webmanifest)$/;

const dist = process.argv[2];
if (!dist) throw new Error('usage: precompress.mjs DIST');
for (const entry of readdirSync(dist, { recursive: true })) {
  const path = join(dist, entry);
  if (!texts.test(path) || !statSync(path).isFile() || statSync(path).size < worthwhileBytes) continue;
  const plain = readFileSync(path);
  writeFileSync(`${path}.br`, brotliCompressSync(plain));
  writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
}

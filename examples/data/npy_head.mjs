// Copies the first rows of a two-dimensional '<f4' .npy file.
// Usage: node npy_head.mjs ROWS IN.npy OUT.npy

import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { npyHeader } from './npy.mjs';

const kPrefixSize = 10;

function readAt(file, position, size) {
  const bytes = Buffer.alloc(size);
  if (readSync(file, bytes, 0, size, position) !== size) throw new Error('the file ends too early');
  return bytes;
}

function copyHead(rows, inFile, outFile) {
  const dataStart = kPrefixSize + readAt(inFile, 0, kPrefixSize).readUInt16LE(8);
  const header = readAt(inFile, 0, dataStart).toString('latin1');
  const shape = /'descr': '<f4'.*'shape': \((\d+), (\d+)\)/.exec(header);
  if (shape === null) throw new Error("not a two-dimensional '<f4' .npy file");
  const [inRows, dimensions] = shape.slice(1).map(Number);
  if (!(rows > 0 && rows <= inRows)) throw new Error(`${rows} rows asked of ${inRows}`);

  writeFileSync(outFile, npyHeader('<f4', [rows, dimensions]));
  writeFileSync(outFile, readAt(inFile, dataStart, rows * dimensions * 4));
}

const [rows, inPath, outPath] = process.argv.slice(2);
try {
  if (outPath === undefined) throw new Error('usage: npy_head.mjs ROWS IN.npy OUT.npy');
  const inFile = openSync(inPath, 'r');
  const outFile = openSync(outPath, 'w');
  copyHead(Number(rows), inFile, outFile);
  closeSync(outFile);
  closeSync(inFile);
} catch (error) {
  console.error(`npy_head: ${error.message}`);
  process.exit(1);
}

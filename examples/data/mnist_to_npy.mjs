// Turns one MNIST file in IDX format into a .npy: images become float32 rows of 0..255, labels stay uint8.
// Usage: node mnist_to_npy.mjs OUT.npy < IDX_FILE
//
// IDX: two zero bytes, the element type (8: uint8), the number of axes, each axis as a big-endian uint32, then the bytes.

import { closeSync, openSync, writeFileSync } from 'node:fs';
import { Cutter } from './cutter.mjs';
import { npyHeader } from './npy.mjs';

const kUint8 = 8;
const kRowsPerWrite = 1000;

async function readAxes(cutter) {
  const magic = await cutter.take(4);
  if (magic.readUInt16BE(0) !== 0 || magic[2] !== kUint8 || magic[3] === 0) throw new Error('not an IDX file of uint8');
  const sizes = await cutter.take(4 * magic[3]);
  return Array.from({ length: magic[3] }, (_, i) => sizes.readUInt32BE(4 * i));
}

function toFloat32(bytes) {
  const floats = Buffer.alloc(bytes.length * 4);
  bytes.forEach((x, i) => floats.writeFloatLE(x, 4 * i));
  return floats;
}

async function convert(input, file) {
  const cutter = new Cutter(input);
  const [rows, ...rowAxes] = await readAxes(cutter);
  const rowSize = rowAxes.reduce((product, n) => product * n, 1);
  const areLabels = rowAxes.length === 0;

  writeFileSync(file, areLabels ? npyHeader('|u1', [rows]) : npyHeader('<f4', [rows, rowSize]));
  for (let row = 0; row < rows; row += kRowsPerWrite) {
    const bytes = await cutter.take(Math.min(kRowsPerWrite, rows - row) * rowSize);
    writeFileSync(file, areLabels ? bytes : toFloat32(bytes));
  }
  const left = await cutter.drain();
  if (left > 0) throw new Error(`${left} bytes follow the ${rows} rows that the header promises`);
}

const [outPath] = process.argv.slice(2);
try {
  if (outPath === undefined) throw new Error('usage: mnist_to_npy.mjs OUT.npy < IDX_FILE');
  const file = openSync(outPath, 'w');
  await convert(process.stdin, file);
  closeSync(file);
} catch (error) {
  console.error(`mnist_to_npy: ${error.message}`);
  process.exit(1);
}

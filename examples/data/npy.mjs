// The .npy header both converters write: format version 1.0, C order.

/** Header of an array of element type `descr` ('<f4', '|u1') and `shape`, padded so that the data starts at a multiple of 64. */
export function npyHeader(descr, shape) {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefixSize = 10; // magic (6), version (2), length of what follows (2)
  const total = Math.ceil((prefixSize + dict.length + 1) / 64) * 64;

  const header = Buffer.alloc(total, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(total - prefixSize, 8);
  header.write(dict, prefixSize, 'latin1');
  header.write('\n', total - 1, 'latin1');
  return header;
}

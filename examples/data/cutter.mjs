// Cuts a stream of bytes into pieces; holds one chunk and the piece being looked for, never the whole.

export class Cutter {
  /** `chunks` is an async iterable of Buffers, such as process.stdin. */
  constructor(chunks) {
    this.chunks_ = chunks[Symbol.asyncIterator]();
    this.pending_ = Buffer.alloc(0);
  }

  /** Takes the bytes up to the end that `findEnd(pending)` returns; -1 asks for more bytes. */
  async takeUntil(findEnd) {
    let end;
    while ((end = findEnd(this.pending_)) < 0) {
      const { value, done } = await this.chunks_.next();
      if (done) throw new Error('the input ends too early');
      this.pending_ = Buffer.concat([this.pending_, value]);
    }
    const piece = this.pending_.subarray(0, end);
    this.pending_ = this.pending_.subarray(end);
    return piece;
  }

  /** Takes `size` bytes. */
  take(size) {
    return this.takeUntil((bytes) => (bytes.length < size ? -1 : size));
  }

  /** Takes the bytes up to and including `marker`. */
  takePast(marker) {
    return this.takeUntil((bytes) => {
      const at = bytes.indexOf(marker);
      return at < 0 ? -1 : at + marker.length;
    });
  }

  /** Reads on to the end, so that whoever writes into our pipe is not cut off; returns how many bytes were left. */
  async drain() {
    let size = this.pending_.length;
    for (let next = await this.chunks_.next(); !next.done; next = await this.chunks_.next()) size += next.value.length;
    return size;
  }
}

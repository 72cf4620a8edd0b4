// QR codes by exclusive-or. The file is described at bjidp.qrlogin.matrix.Basis.encode.

export class Basis {
  /** Read the file; throws when it is not one. */
  constructor(buffer) {
    const bytes = new Uint8Array(buffer);
    if (String.fromCharCode(...bytes.subarray(0, 5)) !== "bjqr\x01") throw new Error("not a QR basis");
    const [size, variable, length] = bytes.subarray(5, 8);
    this.size = size;
    this.prefix = String.fromCharCode(...bytes.subarray(8, 8 + length));
    this.variable = variable;
    this.width = Math.ceil((size * size) / 8);
    this.matrices = bytes.subarray(8 + length);
    if (this.matrices.length !== this.width * (1 + 8 * variable)) throw new Error("a QR basis cut short");
  }

  /** The modules of `text`, eight to a byte, row by row, highest bit first. */
  draw(text) {
    const tail = text.slice(this.prefix.length);
    if (!text.startsWith(this.prefix) || tail.length !== this.variable) throw new Error("not a text of this basis");
    const drawn = this.matrices.slice(0, this.width);
    for (let position = 0; position < tail.length; position++) {
      const code = tail.charCodeAt(position);
      for (let bit = 0; bit < 8; bit++) {
        if (code & (128 >> bit)) this.#add(drawn, 1 + 8 * position + bit);
      }
    }
    return drawn;
  }

  /** The dark modules of `text` as the path of an SVG whose unit is one module. */
  path(text) {
    const drawn = this.draw(text);
    const dark = (index) => drawn[index >> 3] & (128 >> (index & 7));
    let path = "";
    for (let row = 0; row < this.size; row++) {
      for (let column = 0; column < this.size; column++) {
        const start = column;
        while (column < this.size && dark(row * this.size + column)) column++;
        if (column > start) path += `M${start} ${row}h${column - start}v1h${start - column}z`;
      }
    }
    return path;
  }

  #add(drawn, index) {
    const at = index * this.width;
    for (let byte = 0; byte < this.width; byte++) drawn[byte] ^= this.matrices[at + byte];
  }
}

/** Fetch the basis; the address holds its hash, so the browser's cache answers from the second time on. */
export async function fetchBasis(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the QR basis answered ${answer.status}`);
  return new Basis(await answer.arrayBuffer());
}

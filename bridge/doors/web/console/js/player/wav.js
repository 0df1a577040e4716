// WAV files piece by piece: where the samples are, and bytes to float channels. Pure.
//
// RIFF, RF64 and BW64 (EBU Tech 3306; ITU-R BS.2088), 16/24/32-bit integers and 32/64-bit floats, also as
// WAVE_FORMAT_EXTENSIBLE. Floats come out in -1..1 where integers were, channels apart.

const text = (view, at) => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const UNKNOWN = 0xffffffff;

/**
 * Read a header from the first bytes of a file.
 * Returns {format, channels, sampleRate, bits, frameBytes, dataStart, frames}, or {needed: bytes} where more of the file
 * must be read first. Throws for what is no WAV.
 */
export function wavHeader(buffer, fileBytes = Infinity) {
  const view = new DataView(buffer);
  if (view.byteLength < 12) throw new Error("the file is too short to be a WAV file");
  const kind = text(view, 0);
  if (!["RIFF", "RF64", "BW64"].includes(kind) || text(view, 8) !== "WAVE") throw new Error("the file is no WAV file");
  let at = 12;
  let format = null;
  let dataBytes64 = null;
  while (at + 8 <= view.byteLength) {
    const id = text(view, at);
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (id === "data") {
      if (format === null) throw new Error("the WAV file's samples come before their format");
      const told = size === UNKNOWN && dataBytes64 !== null ? dataBytes64 : size;
      const bytes = Math.min(told, fileBytes - start);
      return { ...format, dataStart: start, frames: Math.floor(bytes / format.frameBytes) };
    }
    if (start + Math.min(size, 40) > view.byteLength) return { needed: start + Math.min(size, 40) };
    if (id === "ds64") dataBytes64 = Number(view.getBigUint64(start + 8, true));
    if (id === "fmt ") format = formatOf(view, start, size);
    at = start + size + (size % 2);
  }
  return { needed: at + 8 };
}

function formatOf(view, start, size) {
  let code = view.getUint16(start, true);
  const channels = view.getUint16(start + 2, true);
  const sampleRate = view.getUint32(start + 4, true);
  const frameBytes = view.getUint16(start + 12, true);
  const bits = view.getUint16(start + 14, true);
  if (code === EXTENSIBLE && size >= 26) code = view.getUint16(start + 24, true);
  const known = (code === PCM && [16, 24, 32].includes(bits)) || (code === FLOAT && [32, 64].includes(bits));
  if (!known || channels === 0 || frameBytes !== (channels * bits) / 8) throw new Error(`WAV of format ${code} with ${bits} bits cannot be played here`);
  return { format: code === PCM ? "int" : "float", channels, sampleRate, bits, frameBytes };
}

const READERS = {
  int16: (view, at) => view.getInt16(at, true) / 32768,
  int24: (view, at) => ((view.getUint16(at, true) | (view.getInt8(at + 2) << 16)) / 8388608),
  int32: (view, at) => view.getInt32(at, true) / 2147483648,
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
};

/** Turn whole frames of bytes into one Float32Array a channel. */
export function wavChannels(buffer, header) {
  const view = new DataView(buffer);
  const frames = Math.floor(view.byteLength / header.frameBytes);
  const read = READERS[header.format + header.bits];
  const width = header.bits / 8;
  return Array.from({ length: header.channels }, (_, channel) => {
    const out = new Float32Array(frames);
    for (let frame = 0, at = channel * width; frame < frames; frame += 1, at += header.frameBytes) out[frame] = read(view, at);
    return out;
  });
}

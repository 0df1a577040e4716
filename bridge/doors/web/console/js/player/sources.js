// Where a lane's samples come from: a WAV file read piece by piece, or a whole file that the browser decoded.
//
// A source has `frames`, `sampleRate`, `channels`, and `read(frame, count, signal)` -> one Float32Array a channel.
// Files of a return are WAV at one rate, so they are never held whole; only an original in another format is.

import { wavChannels, wavHeader } from "./wav.js";

const HEADER_BYTES = 4096;
const LARGEST_HEADER = 8 << 20;
export const LARGEST_DECODED_BYTES = 400e6;

export class WavSource {
  constructor(api, path, header) {
    this.api = api;
    this.path = path;
    this.header = header;
    this.frames = header.frames;
    this.sampleRate = header.sampleRate;
    this.channels = Math.min(2, header.channels);
  }

  static async open(api, path, signal) {
    for (let wanted = HEADER_BYTES; wanted <= LARGEST_HEADER;) {
      const { buffer, total } = await api.range(path, 0, wanted, signal);
      const header = wavHeader(buffer, total);
      if (header.needed === undefined) return new WavSource(api, path, header);
      if (buffer.byteLength >= total) break;
      wanted = Math.max(wanted * 2, header.needed + HEADER_BYTES);
    }
    throw new Error("the WAV file has no samples");
  }

  async read(frame, count, signal) {
    const { frameBytes, dataStart } = this.header;
    const start = dataStart + frame * frameBytes;
    const { buffer } = await this.api.range(this.path, start, start + count * frameBytes, signal);
    return wavChannels(buffer, this.header).slice(0, this.channels);
  }
}

export class DecodedSource {
  constructor(decoded) {
    this.decoded = decoded;
    this.frames = decoded.length;
    this.sampleRate = decoded.sampleRate;
    this.channels = Math.min(2, decoded.numberOfChannels);
  }

  async read(frame, count) {
    return Array.from({ length: this.channels }, (_, channel) => this.decoded.getChannelData(channel).subarray(frame, frame + count));
  }
}

/**
 * Open the original: as WAV where it is one at the return's rate, else decoded whole (at the context's rate) where it is
 * not too long for that. Throws an Error that says why it can't be played.
 */
export async function openOriginal(api, path, context, durationS, signal) {
  try {
    const source = await WavSource.open(api, path, signal);
    if (source.sampleRate === context.sampleRate) return source;
  } catch (error) {
    if (error.status !== undefined || error.name === "AbortError") throw error;
  }
  if (durationS * context.sampleRate * 8 > LARGEST_DECODED_BYTES) {
    throw new Error("the original is too long to be decoded in the browser beside the tracks");
  }
  const response = await api.fetch(path, { signal });
  return new DecodedSource(await context.decodeAudioData(await response.arrayBuffer()));
}

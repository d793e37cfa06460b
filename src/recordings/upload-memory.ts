/**
 * Memory for small uploads: most telephone calls are so short that writing them to disk, and reading them again, costs more
 * than all else that is done with them. Together they have a bound; what does not fit in goes to disk like a large one.
 */

/** Four minutes of G.711. */
const mostBytesEach = 2 * 1024 * 1024;
const mostBytesTogether = 32 * 1024 * 1024;

const taken = new Set<ArrayBufferLike>();
let takenBytes = 0;

/**
 * Room for an upload of which `bytes` are announced; undefined when that is not known (0), too much, or more than is free
 * now. Whoever takes room gives it back.
 */
export function takeRoom(bytes: number): Buffer | undefined {
  if (bytes === 0 || bytes > mostBytesEach || takenBytes + bytes > mostBytesTogether) return undefined;
  // Never used again for another upload: a put that was given up may still be sending from it.
  const room = Buffer.allocUnsafeSlow(bytes);
  taken.add(room.buffer);
  takenBytes += bytes;
  return room;
}

/** Gives back what `takeRoom` gave, or a part of it stands for. Safe to repeat. */
export function giveRoomBack(room: Buffer): void {
  if (taken.delete(room.buffer)) takenBytes -= room.buffer.byteLength;
}

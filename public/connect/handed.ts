/** A key between the screen that made it and the screen that shows the lines: in this page's memory, and nowhere else. */
let handed: { sourceId: string; key: string } | undefined;

export function handOver(sourceId: string, key: string): void {
  handed = { sourceId, key };
}

/** The key of this source while this page lives. */
export const keyInHand = (sourceId: string) => (handed?.sourceId === sourceId ? handed.key : undefined);

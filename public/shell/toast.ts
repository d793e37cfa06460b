import { signal } from '@preact/signals';

/** A short message that leaves by itself; what matters longer belongs on the screen. */
export const toast = signal('');

let leaving: ReturnType<typeof setTimeout> | undefined;

/** Says something in passing, on screen and to screen readers. */
export function say(text: string): void {
  toast.value = text;
  clearTimeout(leaving);
  leaving = setTimeout(() => (toast.value = ''), 6000);
}

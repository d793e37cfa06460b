import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const stored = localStorage.getItem('opname.theme');

/** What the person chose; `system` follows the machine. */
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');

/** Counts up when the colours on screen change, for what paints on a canvas. */
export const colours = signal(0);

effect(() => {
  if (theme.value === 'system') {
    delete document.documentElement.dataset['theme'];
    localStorage.removeItem('opname.theme');
  } else {
    document.documentElement.dataset['theme'] = theme.value;
    localStorage.setItem('opname.theme', theme.value);
  }
  colours.value = colours.peek() + 1;
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => (colours.value += 1));

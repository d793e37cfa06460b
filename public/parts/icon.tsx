import type { JSX } from 'preact';

/** Our own set, drawn on 16 × 16: an outline of 1.6, `solid` where a shape must be full. */
const shapes = {
  recordings: <path d="M2 6.5v3M5 4v8M8 5.5v5M11 2.5v11M14 6.5v3" />,
  ticket: (
    <path d="M2 4h12v2.6a1.4 1.4 0 0 0 0 2.8V12H2V9.4a1.4 1.4 0 0 0 0-2.8zM9.5 4v1.5M9.5 7.3v1.4M9.5 10.500V12" />
  ),
  audit: <path d="M4 2h6l3 3v9H4zM10 2v3h3M6.500 8h4M6.500 11h4" />,
  users: (
    <path d="M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM1.500 13.500c0-2.500 2-4 4.500-4s4.500 1.500 4.500 4M10.500 3a2.300 2.300 0 0 1 0 4.300M12.300 9.900c1.400.6 2.200 1.900 2.200 3.600" />
  ),
  key: (
    <path d="M5.200 13.300a2.900 2.900 0 1 0 0-5.800 2.900 2.900 0 0 0 0 5.800zM7.300 8.400 13.500 2.200M10.800 4.900l2 2" />
  ),
  organisation: <path d="M3 14V2.500h7V14M10 6h3.500v8M1.500 14h13M5.500 5.500h2M5.500 8h2M5.500 10.500h2" />,
  search: <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.700 10.700 14 14" />,
  menu: <path d="M2.500 4h11M2.500 8h11M2.500 12h11" />,
  close: <path d="m3.500 3.500 9 9M12.500 3.500l-9 9" />,
  sun: (
    <path d="M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3.100 3.100l1 1M11.900 11.900l1 1M12.900 3.100l-1 1M4.100 11.900l-1 1" />
  ),
  moon: <path d="M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z" />,
  screen: <path d="M2 3h12v8H2zM5.500 14h5M8 11v3" />,
  out: <path d="M6.500 2.500H3v11h3.500M10 5l3 3-3 3M13 8H6.500" />,
  play: (
    <path
      class="solid"
      d="M4.500 2.600v10.800a.6.6 0 0 0 .9.500l8.600-5.400a.6.6 0 0 0 0-1L5.400 2.100a.6.6 0 0 0-.9.5z"
    />
  ),
  pause: <path class="solid" d="M4 2.500h3v11H4zM9 2.500h3v11H9z" />,
  back: <path d="M10 3 5 8l5 5" />,
  next: <path d="m6 3 5 5-5 5" />,
  earlier: <path d="M3 8a5 5 0 1 0 1.600-3.700M4.500 1.500v3h3" />,
  later: <path d="M13 8a5 5 0 1 1-1.600-3.700M11.500 1.500v3h-3" />,
  muted: <path d="M2 6v4h2.500L8 13V3L4.500 6zM11 6l3.500 4M14.500 6 11 10" />,
  sound: (
    <path d="M2 6v4h2.500L8 13V3L4.500 6zM10.500 5.500a3.500 3.500 0 0 1 0 5M12.500 3.500a6.500 6.500 0 0 1 0 9" />
  ),
  solo: (
    <path d="M2.500 9.500V8a5.500 5.500 0 0 1 11 0v1.500M2.500 9.500h2.200v4H3.500a1 1 0 0 1-1-1zM13.500 9.500h-2.200v4h1.200a1 1 0 0 0 1-1z" />
  ),
  silence: <path d="M2 8h3M11 8h3M6.500 5 9.500 8l-3 3" />,
  loop: <path d="M3 7.500V6.500a2 2 0 0 1 2-2h8M11 2.500l2 2-2 2M13 8.500v1a2 2 0 0 1-2 2H3M5 13.500l-2-2 2-2" />,
  link: (
    <path d="M6.500 9.500a2.700 2.700 0 0 0 3.800 0l2.400-2.400a2.700 2.700 0 0 0-3.800-3.800l-.9.9M9.500 6.500a2.700 2.700 0 0 0-3.800 0L3.300 8.900a2.700 2.700 0 0 0 3.800 3.800l.9-.9" />
  ),
  help: (
    <path d="M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM6.200 6.200A1.800 1.800 0 0 1 8 4.600c1 0 1.800.7 1.800 1.700 0 1.400-1.800 1.500-1.800 2.900M8 11.500v.1" />
  ),
  clock: <path d="M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM8 4.500V8l2.500 1.500" />,
  seal: <path d="M2.500 5.500 8 2.500l5.500 3v6L8 14.500l-5.500-3zM2.500 5.500 8 8.500l5.500-3M8 8.500v6" />,
  hold: <path d="M3.500 7h9v7h-9zM5.500 7V4.700a2.500 2.500 0 0 1 5 0V7" />,
  restricted: <path d="M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM3.500 3.500l9 9" />,
  agreement: <path d="M3.500 14V2.500h9l-2.500 3.200 2.500 3.300h-9" />,
  warning: <path d="M8 2 1.500 13.500h13zM8 6.500v3M8 11.500v.1" />,
  error: <path d="M5.300 1.500h5.400l3.800 3.800v5.400l-3.800 3.800H5.300l-3.800-3.800V5.300zM8 4.700v4M8 11v.1" />,
  ok: <path d="M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM5 8.200l2.100 2.100L11 6" />,
  info: <path d="M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM8 7.500v4M8 4.700v.1" />,
  bin: <path d="M2.500 4.500h11M6 4.500v-2h4v2M4 4.500l.7 9h6.600l.7-9M6.800 7v4M9.200 7v4" />,
  inbound: <path d="M13.500 2.500 7 9M7 4.500V9h4.500M2.500 13.500h11" />,
  outbound: <path d="M6.500 9 13 2.500M8.500 2.500H13V7M2.500 13.500h11" />,
  internal: <path d="M2 5.500h9.500M9 3l2.500 2.500L9 8M14 10.500H4.500M7 8l-2.500 2.500L7 13" />,
  hidden: <path d="M2 8s2.200-4 6-4c1 0 1.900.3 2.700.7M14 8s-2.200 4-6 4c-1 0-1.900-.3-2.700-.7M2.500 13.500l11-11" />,
  copy: <path d="M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3" />,
  plus: <path d="M8 3v10M3 8h10" />,
  rotate: (
    <path d="M13.500 6A6 6 0 0 0 3 4.500L2 6M2 2.500V6h3.500M2.500 10A6 6 0 0 0 13 11.500l1-1.500M14 13.500V10h-3.500" />
  ),
  filter: <path d="M2 3.500h12M4.500 8h7M6.500 12.500h3" />,
  mail: <path d="M2 3.500h12v9H2zM2.500 4 8 8.500 13.500 4" />,
  person: (
    <path d="M8 8a2.700 2.700 0 1 0 0-5.500A2.700 2.700 0 0 0 8 8zM3 14c0-2.800 2.200-4.300 5-4.300s5 1.500 5 4.300" />
  ),
  offline: (
    <path d="M2 2l12 12M4.700 8.300A5 5 0 0 1 8 7M11.300 8.300l-.6-.4M2.300 5.800A9 9 0 0 1 5 4.200M13.700 5.800A8.500 8.500 0 0 0 8 3.500M6.700 10.700a2 2 0 0 1 2.600 0M8 12.900v.1" />
  ),
} satisfies Record<string, JSX.Element>;

export type IconName = keyof typeof shapes;

/** A picture beside a word: hidden from screen readers, since the word says it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  );
}

/** The mark of the product. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#0b5cad" />
      <path d="M8 14v4M13 9v14M18 12v8M23 7v18" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" />
    </svg>
  );
}

import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { askClamd } from './scanner-clamd.js';
import { askIcap, bareHost } from './scanner-icap.js';

/** Who looks for malware in a file: a clamd daemon, an ICAP server, or any command. */

export type Verdict = 'clean' | 'infected';

/** Looks at one file. @throws when it cannot tell */
export type Scanner = (file: string, signal: AbortSignal) => Promise<Verdict>;

/** A scanner that says nothing for so long has failed. */
const scanTimeoutMs = 5 * 60_000;

/** How long to wait: until told to stop, and no longer than this without a word. */
export interface Patience {
  signal: AbortSignal;
  timeoutMs: number;
}

/**
 * A scanner from its setting:
 * - `clamd://host:port` or `clamd:///path/to/socket`
 * - `icap://host:port/service`
 * - `exec:/usr/bin/clamscan --no-summary`: a command that gets the file's name as its last argument and exits 0 for clean, 1
 *   for infected, anything else for a fault of its own (as clamscan does)
 * @throws Error when the setting is none of these
 */
export function createScanner(setting: string): Scanner {
  if (setting.startsWith('exec:')) {
    const [command, ...args] = setting.slice('exec:'.length).trim().split(/\s+/);
    if (command === undefined || command === '') throw new Error('names no command');
    return (file, signal) => runCommand(command, [...args, file], signal);
  }
  const patience = (signal: AbortSignal): Patience => ({ signal, timeoutMs: scanTimeoutMs });
  const address = URL.canParse(setting) ? new URL(setting) : undefined;
  if (address?.protocol === 'icap:') {
    if (address.hostname === '' || address.pathname.length < 2) throw new Error('must name a host and a service: icap://host:1344/service');
    return (file, signal) => askIcap(address, file, patience(signal));
  }
  if (address?.protocol !== 'clamd:') throw new Error('must begin with clamd://, icap:// or exec:');
  if (address.hostname === '' && address.pathname.length > 1)
    return (file, signal) => askClamd(() => connect({ path: decodeURIComponent(address.pathname) }), file, patience(signal));
  const port = address.port === '' ? 3310 : Number(address.port);
  return (file, signal) => askClamd(() => connect({ host: bareHost(address), port }), file, patience(signal));
}

function runCommand(command: string, args: string[], signal: AbortSignal): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { signal, timeout: scanTimeoutMs, maxBuffer: 1024 * 1024 }, (error) => {
      if (error === null) resolve('clean');
      else if (error.code === 1) resolve('infected');
      else reject(new Error('the scanner failed'));
    });
  });
}

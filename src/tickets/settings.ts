import type { Scanner } from './scanner.js';

/** What tickets need of the configuration. */
export interface TicketSettings {
  dataDir: string;
  /** IANA name: calendar years of retention end at this place's time of day. */
  timeZone: string;
  defaultCountry: string;
  /** Key of the digests under which searches are logged. */
  searchKey: Buffer;
  /** `MAX_ATTACHMENT_MB`, in bytes. */
  maxAttachmentBytes: number;
  /** `MALWARE_SCANNER` through `createScanner`; undefined: attachments are not scanned. */
  scanner: Scanner | undefined;
  /**
   * `HELPDESK_TOKENS`: by origin (`https://helpdesk.example.nl`) the Authorization header with which attachments are
   * fetched from there. Other addresses are never asked.
   */
  helpdeskTokens: Readonly<Record<string, string>>;
}

/**
 * Reads `HELPDESK_TOKENS`, a JSON object such as `{"https://helpdesk.example.nl": "Token token=…"}`.
 * @throws Error that says what is wrong, without the tokens
 */
export function readHelpdeskTokens(text: string | undefined): Record<string, string> {
  if (text === undefined || text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('must be a JSON object from origins to Authorization headers');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Error('must be a JSON object from origins to Authorization headers');
  const tokens: Record<string, string> = {};
  for (const [address, token] of Object.entries(value)) {
    if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) throw new Error('must have http or https origins as names');
    if (typeof token !== 'string' || token === '') throw new Error('must have a text for every origin');
    tokens[new URL(address).origin] = token;
  }
  return tokens;
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Cron } from 'croner';
import { isSupportedCountry } from 'libphonenumber-js/max';
import { z } from 'zod';
import { logLevels } from './platform/log.js';
import { createScanner } from './tickets/scanner.js';
import { readHelpdeskTokens } from './tickets/settings.js';

/**
 * The settings of the service: the only reader of the environment. Everything is checked at once, and each fault is one
 * line that names the variable, so that an administrator mends all of them in one go.
 */

/** Settings that cannot be used together or at all. `faults` holds one line for each. */
export class ConfigFault extends Error {
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigFault';
  }
}

const directions = ['inbound', 'outbound', 'internal'] as const;

const text = z.string().trim().min(1);
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);
const yesNo = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'], 'must be true or false')
  .transform((value) => ['true', '1', 'yes'].includes(value));
const schemeOf = (value: string) => (URL.canParse(value) ? new URL(value).protocol : '');
const webAddress = text.refine((value) => /^https?:$/.test(schemeOf(value)), 'must be an http or https address');
const timeZone = text.refine((value) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone.length > 0;
  } catch {
    return false;
  }
}, 'must be a time zone such as Europe/Amsterdam');

/** A setting that `read` understands; what it throws is the fault. */
const readable = (read: (text: string) => unknown) =>
  text.superRefine((value, context) => {
    try {
      read(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'cannot be read' });
    }
  });

const environment = z.object({
  PORT: whole(0, 65535).default(8080),
  HOST: text.default('0.0.0.0'),
  PUBLIC_URL: webAddress.optional(),
  DATA_DIR: text.default('data'),
  DATABASE_URL: z
    .string()
    .refine((value) => /^postgres(ql)?:$/.test(schemeOf(value)), 'must be a postgres:// address')
    .optional(),
  S3_ENDPOINT: webAddress.optional(),
  S3_REGION: text.default('us-east-1'),
  S3_BUCKET: text.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name').optional(),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
  S3_FORCE_PATH_STYLE: yesNo.optional(),
  ROLE: z.enum(['all', 'web', 'worker'], 'must be all, web or worker').default('all'),
  ADMIN_EMAIL: z.email('must be an e-mail address').optional(),
  ADMIN_PASSWORD: z.string().min(12, 'must have at least 12 characters').max(200).optional(),
  SIGNING_KEY: text.optional(),
  TIMEZONE: timeZone.default('Europe/Amsterdam'),
  DEFAULT_COUNTRY: text
    .refine((value) => isSupportedCountry(value), 'must be a two-letter country code such as NL')
    .default('NL'),
  RECORDING_DIRECTIONS: text
    .transform((value) => value.split(',').map((part) => part.trim()))
    .pipe(z.array(z.enum(directions, 'may hold inbound, outbound and internal, separated by commas')).nonempty())
    .default(['inbound']),
  MAX_RECORDING_MB: whole(1, 5_000).default(1024),
  SWEEP_CRON: text
    .refine((value) => {
      try {
        return new Cron(value, { paused: true }).nextRun() !== null;
      } catch {
        return false;
      }
    }, 'must be a cron line such as */15 * * * *')
    .default('*/15 * * * *'),
  FOUR_EYES: z.enum(['required', 'recorded'], 'must be required or recorded').default('required'),
  PRIVACY_PORTAL: yesNo.default(false),
  OIDC_ISSUER: webAddress.optional(),
  OIDC_CLIENT_ID: text.optional(),
  OIDC_CLIENT_SECRET: text.optional(),
  AUDIT_ANCHOR_URL: webAddress.optional(),
  AUDIT_ANCHOR_BUCKET: text.regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name').optional(),
  TSA_URLS: text
    .transform((value) => value.split(',').map((part) => part.trim()))
    .pipe(z.array(webAddress))
    .default([]),
  TRANSCRIPTION_URL: webAddress.optional(),
  TRANSCRIPTION_KEY: text.optional(),
  TRANSCRIPTION_MODEL: text.default('whisper-1'),
  MAX_ATTACHMENT_MB: whole(1, 1_000).default(25),
  MALWARE_SCANNER: readable(createScanner).optional(),
  HELPDESK_TOKENS: readable(readHelpdeskTokens).optional(),
  PULL_SOURCES: text
    .transform((value, context) => {
      try {
        return JSON.parse(value) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be a JSON list' });
        return z.NEVER;
      }
    })
    .pipe(
      z.array(
        z.object({
          kind: z.literal('3cx', 'may hold PBXs of the kind 3cx'),
          source: text.max(100),
          url: webAddress.transform((value) => value.replace(/\/+$/, '')),
          clientId: text,
          clientSecret: text,
        }),
        'must be a JSON list',
      ),
    )
    .default([]),
  ALARM_WEBHOOK_URL: webAddress.optional(),
  ALARM_WEBHOOK_SECRET: text.optional(),
  SMTP_URL: text.refine((value) => /^smtps?:$/.test(schemeOf(value)), 'must be an smtp:// or smtps:// address').optional(),
  ALARM_FROM: z.email('must be an e-mail address').optional(),
  ALARM_EMAIL: z.email('must be an e-mail address').optional(),
  LOG_LEVEL: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
  TRUST_PROXY: text.optional(),
});

const secrets = ['DATABASE_URL', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'ADMIN_PASSWORD', 'SIGNING_KEY', 'OIDC_CLIENT_SECRET', 'HELPDESK_TOKENS', 'TRANSCRIPTION_KEY', 'ALARM_WEBHOOK_SECRET', 'SMTP_URL', 'PULL_SOURCES'] as const;

export interface Config {
  port: number;
  host: string;
  publicUrl: string | undefined;
  dataDir: string;
  /** Undefined: PostgreSQL is embedded under `dataDir`. */
  databaseUrl: string | undefined;
  /** Undefined: the storage is embedded under `dataDir`. */
  s3:
    | {
        endpoint: string | undefined;
        region: string;
        bucket: string;
        forcePathStyle: boolean;
        /** Undefined: the SDK's own chain (instance role, profile …). */
        credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
      }
    | undefined;
  role: 'all' | 'web' | 'worker';
  firstAdministrator: { email: string; password: string } | undefined;
  /** PEM of a P-256 private key. Undefined: made and kept under `dataDir`, when everything is embedded. */
  signingKey: string | undefined;
  timeZone: string;
  defaultCountry: string;
  recordingDirections: readonly (typeof directions)[number][];
  maxRecordingBytes: number;
  sweepCron: string;
  fourEyes: 'required' | 'recorded';
  /** Whether anybody may ask for their rights by a public form. */
  privacyPortal: boolean;
  oidc: { issuer: string; clientId: string; clientSecret: string } | undefined;
  timeStampUrls: readonly string[];
  /** Where the head of the audit chain is noted outside: an address that it is posted to, a bucket besides the service's. */
  auditAnchor: { url: string | undefined; bucket: string | undefined };
  /** A speech-to-text server, which is asked only once an act on record allows it; undefined: there is none. */
  transcription: { url: string; key: string | undefined; model: string } | undefined;
  maxAttachmentBytes: number;
  /** As `createScanner` reads it; undefined: attachments are not scanned. */
  malwareScanner: string | undefined;
  /** By origin, the Authorization header with which attachments are fetched from there. */
  helpdeskTokens: Readonly<Record<string, string>>;
  /** PBXs that push nothing and are asked. */
  pulls: readonly { kind: '3cx'; source: string; url: string; clientId: string; clientSecret: string }[];
  /** Who is told when a PBX falls silent or recordings are missing. */
  alarms: {
    webhook: { url: string; secret: string | undefined } | undefined;
    mail: { smtpUrl: string; from: string; to: string } | undefined;
  };
  logLevel: (typeof logLevels)[number];
  /** What Express calls `trust proxy`: false, a number of hops, or addresses. */
  trustProxy: boolean | number | string;
}

/** Reads `X` or, for secrets, the file that `X_FILE` names. */
function withSecretFiles(env: NodeJS.ProcessEnv, faults: string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && value !== '') values[name] = value;
  for (const name of secrets) {
    const file = values[`${name}_FILE`];
    if (file === undefined) continue;
    if (values[name] !== undefined) faults.push(`${name} and ${name}_FILE are both given: keep one of them`);
    else {
      try {
        values[name] = readFileSync(file, 'utf8').trim();
      } catch {
        faults.push(`${name}_FILE names a file that cannot be read`);
      }
    }
  }
  return values;
}

/**
 * Reads and checks the settings.
 * @throws ConfigFault with one line per fault.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  // The storage client would greet everyone with a notice about next year's Node versions; `engines` says what holds.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const faults: string[] = [];
  const values = withSecretFiles(env, faults);
  const parsed = environment.safeParse(values);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) faults.push(`${String(issue.path[0])} ${issue.message}`);
    throw new ConfigFault(faults);
  }
  const e = parsed.data;

  const credentials =
    e.S3_ACCESS_KEY_ID !== undefined && e.S3_SECRET_ACCESS_KEY !== undefined
      ? { accessKeyId: e.S3_ACCESS_KEY_ID, secretAccessKey: e.S3_SECRET_ACCESS_KEY }
      : undefined;
  if ((e.S3_ACCESS_KEY_ID === undefined) !== (e.S3_SECRET_ACCESS_KEY === undefined))
    faults.push('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together: one of them is missing');
  if (e.S3_BUCKET === undefined && (e.S3_ENDPOINT !== undefined || credentials !== undefined))
    faults.push('S3_BUCKET is missing: without it the storage is embedded and the other S3 settings mean nothing');
  const embedded = e.DATABASE_URL === undefined && e.S3_BUCKET === undefined;
  if (e.ROLE !== 'all' && (e.DATABASE_URL === undefined || e.S3_BUCKET === undefined))
    faults.push(`ROLE ${e.ROLE} needs DATABASE_URL and S3_BUCKET: embedded backends serve one process only`);
  if (!(embedded && e.ROLE === 'all') && e.SIGNING_KEY === undefined)
    faults.push('SIGNING_KEY is missing: it is made by itself only when database and storage are both embedded');
  if (e.SIGNING_KEY !== undefined && !/-----BEGIN (EC )?PRIVATE KEY-----/.test(e.SIGNING_KEY))
    faults.push('SIGNING_KEY must be a P-256 private key in PEM form (openssl ecparam -name prime256v1 -genkey)');
  if ((e.ADMIN_EMAIL === undefined) !== (e.ADMIN_PASSWORD === undefined))
    faults.push('ADMIN_EMAIL and ADMIN_PASSWORD go together: one of them is missing');
  const oidc = [e.OIDC_ISSUER, e.OIDC_CLIENT_ID, e.OIDC_CLIENT_SECRET];
  if (oidc.some((part) => part !== undefined) && oidc.includes(undefined))
    faults.push('OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET go together: one of them is missing');
  const mail = [e.SMTP_URL, e.ALARM_FROM, e.ALARM_EMAIL];
  if (mail.some((part) => part !== undefined) && mail.includes(undefined))
    faults.push('SMTP_URL, ALARM_FROM and ALARM_EMAIL go together: one of them is missing');
  if (e.ALARM_WEBHOOK_SECRET !== undefined && e.ALARM_WEBHOOK_URL === undefined)
    faults.push('ALARM_WEBHOOK_SECRET means nothing without ALARM_WEBHOOK_URL');
  if (e.TRANSCRIPTION_KEY !== undefined && e.TRANSCRIPTION_URL === undefined)
    faults.push('TRANSCRIPTION_URL is missing: TRANSCRIPTION_KEY means nothing without it');
  if (e.AUDIT_ANCHOR_BUCKET !== undefined && (e.S3_BUCKET === undefined || e.AUDIT_ANCHOR_BUCKET === e.S3_BUCKET))
    faults.push('AUDIT_ANCHOR_BUCKET must be a bucket beside S3_BUCKET: what can be deleted together anchors nothing');
  if (faults.length > 0) throw new ConfigFault(faults);

  return {
    port: e.PORT,
    host: e.HOST,
    publicUrl: e.PUBLIC_URL?.replace(/\/+$/, ''),
    dataDir: path.resolve(e.DATA_DIR),
    databaseUrl: e.DATABASE_URL,
    s3:
      e.S3_BUCKET === undefined
        ? undefined
        : {
            endpoint: e.S3_ENDPOINT,
            region: e.S3_REGION,
            bucket: e.S3_BUCKET,
            forcePathStyle: e.S3_FORCE_PATH_STYLE ?? e.S3_ENDPOINT !== undefined,
            credentials,
          },
    role: e.ROLE,
    firstAdministrator:
      e.ADMIN_EMAIL !== undefined && e.ADMIN_PASSWORD !== undefined
        ? { email: e.ADMIN_EMAIL, password: e.ADMIN_PASSWORD }
        : undefined,
    signingKey: e.SIGNING_KEY,
    timeZone: e.TIMEZONE,
    defaultCountry: e.DEFAULT_COUNTRY,
    recordingDirections: e.RECORDING_DIRECTIONS,
    maxRecordingBytes: e.MAX_RECORDING_MB * 1024 * 1024,
    sweepCron: e.SWEEP_CRON,
    fourEyes: e.FOUR_EYES,
    privacyPortal: e.PRIVACY_PORTAL,
    oidc:
      e.OIDC_ISSUER !== undefined && e.OIDC_CLIENT_ID !== undefined && e.OIDC_CLIENT_SECRET !== undefined
        ? { issuer: e.OIDC_ISSUER, clientId: e.OIDC_CLIENT_ID, clientSecret: e.OIDC_CLIENT_SECRET }
        : undefined,
    timeStampUrls: e.TSA_URLS,
    auditAnchor: { url: e.AUDIT_ANCHOR_URL, bucket: e.AUDIT_ANCHOR_BUCKET },
    transcription:
      e.TRANSCRIPTION_URL === undefined
        ? undefined
        : { url: e.TRANSCRIPTION_URL, key: e.TRANSCRIPTION_KEY, model: e.TRANSCRIPTION_MODEL },
    maxAttachmentBytes: e.MAX_ATTACHMENT_MB * 1024 * 1024,
    malwareScanner: e.MALWARE_SCANNER,
    helpdeskTokens: readHelpdeskTokens(e.HELPDESK_TOKENS),
    pulls: e.PULL_SOURCES,
    alarms: {
      webhook: e.ALARM_WEBHOOK_URL === undefined ? undefined : { url: e.ALARM_WEBHOOK_URL, secret: e.ALARM_WEBHOOK_SECRET },
      mail:
        e.SMTP_URL !== undefined && e.ALARM_FROM !== undefined && e.ALARM_EMAIL !== undefined
          ? { smtpUrl: e.SMTP_URL, from: e.ALARM_FROM, to: e.ALARM_EMAIL }
          : undefined,
    },
    logLevel: e.LOG_LEVEL,
    trustProxy:
      e.TRUST_PROXY === undefined || e.TRUST_PROXY === 'false'
        ? false
        : e.TRUST_PROXY === 'true'
          ? true
          : /^\d+$/.test(e.TRUST_PROXY)
            ? Number(e.TRUST_PROXY)
            : e.TRUST_PROXY,
  };
}

/** The settings as they may be logged: secrets and personal data are named, not shown. */
export function redactedConfig(config: Config): Record<string, unknown> {
  return {
    ...config,
    databaseUrl: config.databaseUrl === undefined ? 'embedded' : 'given',
    s3:
      config.s3 === undefined
        ? 'embedded'
        : { ...config.s3, credentials: config.s3.credentials === undefined ? "the SDK's chain" : 'given' },
    firstAdministrator: config.firstAdministrator === undefined ? 'none' : 'given',
    pulls: config.pulls.map(({ kind }) => kind),
    alarms: {
      webhook: config.alarms.webhook === undefined ? 'none' : 'given',
      mail: config.alarms.mail === undefined ? 'none' : 'given',
    },
    signingKey: config.signingKey === undefined ? 'made under DATA_DIR' : 'given',
    helpdeskTokens: Object.keys(config.helpdeskTokens),
    transcription: config.transcription === undefined ? 'none' : { server: new URL(config.transcription.url).origin, model: config.transcription.model },
    oidc: config.oidc === undefined ? 'none' : { issuer: config.oidc.issuer },
    auditAnchor: { url: config.auditAnchor.url === undefined ? 'none' : 'given', bucket: config.auditAnchor.bucket ?? 'none' },
  };
}

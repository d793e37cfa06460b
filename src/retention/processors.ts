import type { Processor } from './register.js';

/** The settings that tell who handles data for the organisation. */
export interface ProcessorSettings {
  databaseUrl: string | undefined;
  s3: { endpoint: string | undefined; region: string } | undefined;
  oidc: { issuer: string } | undefined;
  timeStampUrls: readonly string[];
}

const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).hostname : address);

/** Of what is embedded nobody else handles anything; of the rest the configuration knows the host, and of storage the region. */
const untold = '';

/**
 * Who handles data for the organisation, as the configuration tells: for the register. A time-stamping authority gets
 * digests alone, and is named all the same.
 */
export function processorsOf({ databaseUrl, s3, oidc, timeStampUrls }: ProcessorSettings): Processor[] {
  return [
    ...(s3 === undefined
      ? []
      : [{ role: 'storage' as const, name: s3.endpoint === undefined ? 'Amazon S3' : hostOf(s3.endpoint), region: s3.region }]),
    ...(databaseUrl === undefined ? [] : [{ role: 'database' as const, name: hostOf(databaseUrl), region: untold }]),
    ...(oidc === undefined ? [] : [{ role: 'sign_in' as const, name: hostOf(oidc.issuer), region: untold }]),
    ...timeStampUrls.map((address) => ({ role: 'time_stamping' as const, name: hostOf(address), region: untold })),
  ];
}

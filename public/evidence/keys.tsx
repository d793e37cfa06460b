import { ApiProblem } from '../api/client.js';
import { longDay } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { Bones, problemText, useLoaded } from '../parts/state.js';

export interface SigningKey {
  keyId: string;
  fingerprint: string;
  firstUsedAt: string;
}

/** The public keys of this installation, newest first: they lie open for anyone, beside the API. */
export async function readKeys(signal?: AbortSignal): Promise<SigningKey[]> {
  const response = await fetch('/.well-known/opname-signing-keys', signal ? { signal } : {}).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'network', undefined, {});
  });
  if (!response.ok) throw new ApiProblem(response.status, 'internal-error', undefined, {});
  const { keys } = (await response.json()) as { keys: SigningKey[] };
  return keys.sort((a, b) => (a.firstUsedAt < b.firstUsedAt ? 1 : -1));
}

/** The fingerprints to publish elsewhere, so that a recipient can compare them. */
export function OwnKeys() {
  const found = useLoaded('keys', readKeys);
  return (
    <section class="panel" aria-labelledby="own-keys">
      <h2 id="own-keys" class="panel-title">
        {t('verify.ownKeys')}
      </h2>
      <p class="panel-lead muted">{t('verify.ownKeysWhy')}</p>
      {found.state === 'loading' && <Bones count={1} />}
      {found.state === 'failed' && (
        <p class="panel-lead" role="alert">
          {problemText(found.problem)}
        </p>
      )}
      {found.state === 'ready' && (
        <ul class="side-list">
          {found.value.map(({ keyId, fingerprint, firstUsedAt }, index) => (
            <li key={keyId}>
              <code class="fingerprint">{fingerprint}</code>
              <span class="muted">
                <Badge icon={index === 0 ? 'ok' : 'clock'} tone={index === 0 ? 'ok' : 'neutral'} plain>
                  {t(index === 0 ? 'verify.current' : 'verify.former')}
                </Badge>{' '}
                {longDay(firstUsedAt)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

import { useState } from 'preact/hooks';
import { ApiProblem, ask } from '../api/client.js';
import type { MadeKey, Page } from '../api/types.js';
import { t } from '../i18n.js';
import type { Source } from '../ingest/types.js';
import { Field } from '../parts/field.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { asProblem, Bones, Failure, problemText, useLoaded } from '../parts/state.js';
import { go, place } from '../shell/router.js';
import { say } from '../shell/toast.js';
import { Lines } from './copy.js';
import { handOver, keyInHand } from './handed.js';
import { linesFor, vendors, type Vendor } from './lines.js';
import { Live } from './live.js';
import { vendorName } from './screen.js';
import { SelfTest } from './self-test.js';
import '../admin/admin.css';
import './connect.css';

/** The second half of connecting a PBX: the lines to paste, and what arrives. Also to look again at one that is connected. */
export function ConnectSource({ id }: { id: string }) {
  const found = useLoaded(id, async (signal) => {
    const page = await ask<Page<Source>>('/sources', { query: { limit: 200 }, signal });
    const source = page.items.find((each) => each.id === id && each.kind === 'pbx');
    if (source === undefined) throw new ApiProblem(404, 'not-found', undefined, {});
    return source;
  });
  if (found.state === 'ready') return <Steps source={found.value} />;
  return (
    <>
      <PageHead title={t('connect.title')} />
      {found.state === 'loading' ? <Bones count={8} /> : <Failure problem={found.problem} again={found.again} />}
    </>
  );
}

const isVendor = (text: string | null): text is Vendor => vendors.some((vendor) => vendor === text);

function Steps({ source }: { source: Source }) {
  const told = place.value.query.get('pbx');
  const vendor = isVendor(told) ? told : undefined;
  return (
    <>
      <PageHead title={t('connect.titleOf', { name: source.name })} lead={t('connect.sourceLead')}>
        <a class="button" href="/admin/ingest">
          {t('connect.toIngest')}
        </a>
      </PageHead>
      <div class="connect">
        <Paste source={source} vendor={vendor} />
        <SelfTest />
        <Live source={source} vendor={vendor} />
      </div>
    </>
  );
}

function Paste({ source, vendor }: { source: Source; vendor: Vendor | undefined }) {
  const [key, setKey] = useState(() => keyInHand(source.id));
  const [address, setAddress] = useState(location.origin);
  const [wantsKey, setWantsKey] = useState(false);
  const cleaned = address.trim().replace(/\/+$/, '');

  async function makeKey() {
    try {
      const body = { name: source.name, role: 'pbx', source: source.id };
      const made = await ask<MadeKey>('/keys', { method: 'POST', body });
      handOver(source.id, made.key);
      setKey(made.key);
      setWantsKey(false);
    } catch (error) {
      say(problemText(asProblem(error)));
    }
  }

  const blocks = vendor ? linesFor(vendor, { address: cleaned, key: key ?? 'opn_…', source: source.name }) : [];
  return (
    <section class="panel" aria-labelledby="paste">
      <h2 id="paste" class="panel-title">
        {t('connect.paste')}
      </h2>
      <div class="panel-body form">
        <div class="pair">
          <Field name="connect-vendor" label={t('connect.which')}>
            {(wiring) => (
              <select
                class="input"
                {...wiring}
                onChange={(event) => go(`/admin/connect/${source.id}?pbx=${event.currentTarget.value}`, { replace: true })}
              >
                {vendor === undefined && <option value="">{t('connect.choose')}</option>}
                {vendors.map((each) => (
                  <option key={each} value={each} selected={vendor === each}>
                    {vendorName(each)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field name="connect-address" label={t('connect.address')} hint={t('connect.addressHint')}>
            {(wiring) => (
              <input
                class="input"
                type="url"
                autocomplete="off"
                value={address}
                onInput={(event) => setAddress(event.currentTarget.value)}
                {...wiring}
              />
            )}
          </Field>
        </div>
        {cleaned.startsWith('http://') && !/^http:\/\/(localhost|127\.|\[::1\])/.test(cleaned) && (
          <p class="notice warn">
            <Icon name="warning" />
            <span>{t('connect.plainHttp')}</span>
          </p>
        )}
        {vendor !== undefined &&
          vendor !== '3cx' &&
          (key !== undefined ? (
            <p class="notice warn">
              <Icon name="key" />
              <span>{t('connect.keyOnce')}</span>
            </p>
          ) : (
            <div class="notice">
              <Icon name="key" />
              <div>
                <p>{t(wantsKey ? 'connect.newKeyWhy' : 'connect.keyGone')}</p>
                <div class="actions">
                  {wantsKey ? (
                    <>
                      <button type="button" class="button primary" onClick={() => void makeKey()}>
                        {t('connect.newKeyMake')}
                      </button>
                      <button type="button" class="button" onClick={() => setWantsKey(false)}>
                        {t('dialog.cancel')}
                      </button>
                    </>
                  ) : (
                    <button type="button" class="button" onClick={() => setWantsKey(true)}>
                      {t('connect.newKey')}
                    </button>
                  )}
                </div>
              </div>
            </div>
          ))}
        <ol class="connect-steps">
          {blocks.map(({ name, where, lines }) => (
            <li key={name} class="connect-step">
              <h3>{t(`connect.step.${name}`)}</h3>
              <p class="muted">{t(`connect.how.${name}`)}</p>
              {where !== undefined && (
                <p>
                  {t('connect.where')} <code>{where}</code>
                </p>
              )}
              <Lines lines={lines} label={t(`connect.step.${name}`)} />
            </li>
          ))}
        </ol>
        {vendor !== undefined && <p class="muted">{t(`connect.tried.${vendor}`)}</p>}
      </div>
    </section>
  );
}

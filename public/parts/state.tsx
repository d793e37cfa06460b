import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../api/client.js';
import { t, textOf } from '../i18n.js';
import { Icon, type IconName } from './icon.js';

/** What a request came to. */
export type Loaded<Value> =
  | { state: 'loading'; again: () => void }
  | { state: 'failed'; problem: ApiProblem; again: () => void }
  | { state: 'ready'; value: Value; again: () => void };

/** Loads something for a screen, anew whenever `key` changes or `again` is called. */
export function useLoaded<Value>(key: string, load: (abort: AbortSignal) => Promise<Value>): Loaded<Value> {
  const [round, setRound] = useState(0);
  const [result, setResult] = useState<{ key: string; value?: Value; problem?: ApiProblem } | undefined>();
  const again = () => {
    setResult(undefined);
    setRound((before) => before + 1);
  };
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setResult({ key, value });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setResult({ key, problem: asProblem(error) });
      },
    );
    return () => abort.abort();
  }, [key, round]);
  if (result?.key !== key) return { state: 'loading', again };
  if (result.problem) return { state: 'failed', problem: result.problem, again };
  return { state: 'ready', value: result.value as Value, again };
}

/** What was thrown, as something a person can be told. */
export function asProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem ? error : new ApiProblem(0, 'screen-error', undefined, { detail: String(error) });
}

/** The plain words for a problem; what has none of its own gets those of its kind. */
export function problemText(problem: ApiProblem): string {
  return (
    textOf(`problem.${problem.code}`) ??
    (problem.status >= 500 ? t('problem.internal-error') : (problem.member('detail') ?? t('problem.unknown')))
  );
}

/** An empty list, or a page that is not there: why, and what next. */
export function State(props: {
  icon: IconName;
  title: string;
  tone?: 'error';
  children?: ComponentChildren;
  actions?: ComponentChildren;
}) {
  return (
    <div class={`state${props.tone ? ` ${props.tone}` : ''}`}>
      <Icon name={props.icon} />
      <h2>{props.title}</h2>
      {props.children}
      {props.actions !== undefined && <div class="actions">{props.actions}</div>}
    </div>
  );
}

/** A request that failed: plain words, the number to quote, and a way to try again. */
export function Failure({ problem, again }: { problem: ApiProblem; again?: (() => void) | undefined }) {
  const heading =
    problem.status === 404 ? t('state.notFound') : problem.status === 403 ? t('state.forbidden') : t('state.failed');
  return (
    <div role="alert">
      <State
        icon={problem.code === 'network' ? 'offline' : problem.status === 404 ? 'search' : 'error'}
        tone="error"
        title={heading}
        actions={
          again &&
          problem.status !== 404 &&
          problem.status !== 403 && (
            <button type="button" class="button" onClick={again}>
              <Icon name="rotate" />
              {t('state.again')}
            </button>
          )
        }
      >
        <p>{problemText(problem)}</p>
        {problem.requestId !== undefined && (
          <p>
            {t('state.requestId')} <code>{problem.requestId}</code>
          </p>
        )}
      </State>
    </div>
  );
}

/** Something that stays in place of what is being loaded. */
export function Bones({ count = 3 }: { count?: number }) {
  return (
    <div class="bones" role="status">
      <span class="unseen">{t('state.loading')}</span>
      {Array.from({ length: count }, (_, index) => (
        <span key={index} class="bone" />
      ))}
    </div>
  );
}

/** Rows in the shape of those to come. `columns` are widths in percent of their cell. */
export function BoneRows({ rows = 8, columns }: { rows?: number; columns: number[] }) {
  return (
    <>
      {Array.from({ length: rows }, (_, row) => (
        <tr key={row} aria-hidden="true">
          {columns.map((width, column) => (
            <td key={column}>
              <svg class="bone-line" width={`${Math.max(24, width - ((row * 13) % 20))}%`} height="12">
                <rect class="bone-fill" width="100%" height="12" rx="4" />
              </svg>
            </td>
          ))}
        </tr>
      ))}
    </>
  );
}

import { t } from '../i18n.js';
import { Icon } from '../parts/icon.js';
import type { RequestFile, RequestState } from './types.js';

const steps = ['draft', 'identity', 'search', 'decide', 'approval', 'answer', 'closed'] as const;

/** Whether the letter or the package was fetched. */
export function handedOut(file: RequestFile): string | undefined {
  return file.timeline.findLast(({ kind }) => kind === 'letter_handed_out' || kind === 'package_handed_out')?.at;
}

/** The step that is to be taken now: once the answer is out, closing is what is left. */
export function stepOf(file: RequestFile): RequestState {
  return file.state === 'answer' && handedOut(file) !== undefined ? 'closed' : file.state;
}

/** Where the request stands, from intake to closing. */
export function Stepper({ file }: { file: RequestFile }) {
  const at = steps.indexOf(stepOf(file));
  const over = file.closedAt !== null;
  return (
    <ol class="stepper" aria-label={t('step.list')}>
      {steps.map((step, index) => {
        const done = over || index < at;
        const now = !over && index === at;
        return (
          <li
            key={step}
            class={now ? 'now' : done ? 'done' : undefined}
            aria-current={now ? 'step' : undefined}
          >
            <span class="step-mark" aria-hidden="true">
              {done ? <Icon name="ok" /> : index + 1}
            </span>
            <span>
              {t(`step.${step}`)}
              {done && <span class="unseen"> ({t('step.done')})</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

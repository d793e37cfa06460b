import { share } from '../format.js';
import { t } from '../i18n.js';
import { Field } from '../parts/field.js';
import type { Wired } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import type { Question } from './types.js';

const usualWeights = [1, 2, 3, 4, 5, 10];
const scales = [2, 3, 4, 5, 6, 7, 8, 9, 10];

/** How heavily something counts. What is unusual stays among the choices. */
export function Weight(props: { id: string; label: string; weight: number; choose: (weight: number) => void }) {
  const { id, label, weight, choose } = props;
  const weights = [...new Set([...usualWeights, weight])].sort((one, other) => one - other);
  return (
    <label class="field weight" for={id}>
      <span class="label">{label}</span>
      <select class="input" id={id} onChange={(event) => choose(Number(event.currentTarget.value))}>
        {weights.map((each) => (
          <option key={each} value={each} selected={each === weight}>
            {t('cards.times', { count: each })}
          </option>
        ))}
      </select>
    </label>
  );
}

interface MoverProps {
  /** What is moved, as it is read out. */
  name: string;
  first: boolean;
  last: boolean;
  move: (step: 1 | -1) => void;
  /** None where it is the only one, and has to stay. */
  remove: (() => void) | undefined;
}

/** Up, down, away. At an end the button stays, so that the focus does not jump. */
export function Mover({ name, first, last, move, remove }: MoverProps) {
  return (
    <span class="actions mover">
      {([-1, 1] as const).map((step) => {
        const end = step < 0 ? first : last;
        return (
          <button
            key={step}
            type="button"
            class="button small icon-only"
            data-move={step}
            aria-disabled={end}
            aria-label={t(step < 0 ? 'cards.up' : 'cards.down', { name })}
            onClick={() => {
              if (!end) move(step);
            }}
          >
            <span aria-hidden="true">{step < 0 ? '↑' : '↓'}</span>
          </button>
        );
      })}
      {remove && (
        <button type="button" class="button small icon-only" aria-label={t('cards.remove', { name })} onClick={remove}>
          <Icon name="bin" />
        </button>
      )}
    </span>
  );
}

interface Props extends Omit<MoverProps, 'name'> {
  question: Question;
  place: number;
  /** Of the section, from 0 to 1. */
  part: number;
  of: Wired['of'];
  change: (change: Partial<Question>) => void;
}

/** One question of a scorecard that is being written. */
export function CardQuestion({ question, place, part, of, change, ...mover }: Props) {
  const name = t('cards.questionName', { place });
  const { id } = question;
  return (
    <li class="card-question" id={`question-${id}`}>
      <div class="card-row">
        <Field {...of(`text-${id}`)} label={name}>
          {(wiring) => (
            <textarea
              class="input growing"
              rows={1}
              maxLength={500}
              aria-required="true"
              value={question.text}
              onInput={(event) => change({ text: event.currentTarget.value })}
              {...wiring}
            />
          )}
        </Field>
        <Mover name={name} {...mover} />
      </div>
      <div class="card-choices">
        <label class="field" for={`kind-${id}`}>
          <span class="label">{t('cards.kind')}</span>
          <select
            class="input"
            id={`kind-${id}`}
            onChange={(event) => {
              const scale = event.currentTarget.value !== 'yes_no';
              change(scale ? { kind: 'scale', max: Number(event.currentTarget.value) } : { kind: 'yes_no' });
            }}
          >
            <option value="yes_no" selected={question.kind === 'yes_no'}>
              {t('cards.yesNo')}
            </option>
            {scales.map((max) => (
              <option key={max} value={max} selected={question.kind === 'scale' && question.max === max}>
                {t('cards.scale', { max })}
              </option>
            ))}
          </select>
        </label>
        <Weight
          id={`weight-${id}`}
          label={t('cards.weight')}
          weight={question.weight}
          choose={(weight) => change({ weight })}
        />
        <span class="muted part">{t('cards.partOfSection', { part: share(part) })}</span>
        <label class="check">
          <input
            type="checkbox"
            checked={question.notApplicable}
            onChange={(event) => change({ notApplicable: event.currentTarget.checked })}
          />
          <span>{t('cards.notApplicable')}</span>
        </label>
      </div>
    </li>
  );
}

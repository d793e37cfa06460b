import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { Icon } from './icon.js';

/** What is wrong with the fields of a form: name of the field → words. */
export type Faults = Record<string, string>;

interface FieldProps {
  /** Its id and name. */
  name: string;
  label: string;
  hint?: string;
  fault?: string | undefined;
  children: (wiring: Wiring) => ComponentChildren;
}

interface Wiring {
  id: string;
  name: string;
  'aria-describedby': string | undefined;
  'aria-invalid': 'true' | undefined;
}

/** A label, its control, a hint and what is wrong, tied together for screen readers. */
export function Field({ name, label, hint, fault, children }: FieldProps) {
  const described = [hint ? `${name}-hint` : '', fault ? `${name}-fault` : ''].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <span class="hint" id={`${name}-hint`}>
          {hint}
        </span>
      )}
      {children({
        id: name,
        name,
        'aria-describedby': described === '' ? undefined : described,
        'aria-invalid': fault ? 'true' : undefined,
      })}
      {fault && (
        <span class="fault" id={`${name}-fault`}>
          <Icon name="error" />
          {fault}
        </span>
      )}
    </div>
  );
}

/** Above a form that was refused: every fault as a link to its field. The heading takes the focus. */
export function FaultSummary({ faults, round }: { faults: Faults; round: number }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const entries = Object.entries(faults);
  useEffect(() => {
    if (entries.length > 0) heading.current?.focus();
  }, [round]);
  if (entries.length === 0) return null;
  return (
    <div class="fault-summary">
      <h2 ref={heading} tabIndex={-1}>
        {t('form.faults')}
      </h2>
      <ul>
        {entries.map(([name, fault]) => (
          <li key={name}>
            <a
              href={`#${name}`}
              onClick={(event) => {
                event.preventDefault();
                document.getElementById(name)?.focus();
              }}
            >
              {fault}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

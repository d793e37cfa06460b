import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { faultsOf } from '../admin/faults.js';
import { t } from '../i18n.js';
import { Dialog } from './dialog.js';
import { FaultSummary, type Faults } from './field.js';
import { asProblem } from './state.js';

/** The text of a field, by the service's name for it, without spaces around it. */
export type Read = (field: string) => string;

/** Thrown by `send` for what was found wrong only while sending: the words for one of the fields. */
export class WrongField extends Error {
  constructor(
    readonly field: string,
    words: string,
  ) {
    super(words);
    this.name = 'WrongField';
  }
}

interface FormOptions {
  /** Set before the names, so that two forms on one page have no field in common. */
  prefix: string;
  /** The service's names of the fields; the first takes what fits none of them. */
  fields: string[];
  /** What is missing or wrong, before anything is sent. */
  check?: (read: Read) => Faults;
  /** Sends it. What it throws is told at the fields. */
  send: (read: Read) => Promise<void>;
}

export interface Wired {
  submit: (form: HTMLFormElement) => Promise<void>;
  /** What a `Field` needs to know of itself. */
  of: (field: string) => { name: string; fault: string | undefined };
  summary: ComponentChildren;
}

/** A form: checked, sent once at a time, and what was wrong told at its fields. */
export function useForm({ prefix, fields, check, send }: FormOptions): Wired {
  const [faults, setFaults] = useState<Faults>({});
  const [round, setRound] = useState(0);
  const busy = useRef(false);
  const tell = (found: Faults) => {
    setFaults(Object.fromEntries(Object.entries(found).map(([field, fault]) => [prefix + field, fault])));
    setRound((before) => before + 1);
    return Object.keys(found).length > 0;
  };
  async function submit(form: HTMLFormElement) {
    if (busy.current) return;
    const data = new FormData(form);
    const read: Read = (field) => String(data.get(prefix + field) ?? '').trim();
    if (tell(check?.(read) ?? {})) return;
    busy.current = true;
    try {
      await send(read);
    } catch (error) {
      tell(error instanceof WrongField ? { [error.field]: error.message } : faultsOf(asProblem(error), fields));
    } finally {
      busy.current = false;
    }
  }
  return {
    submit,
    of: (field) => ({ name: prefix + field, fault: faults[prefix + field] }),
    summary: <FaultSummary faults={faults} round={round} />,
  };
}

interface DialogProps extends FormOptions {
  title: string;
  /** On the button that sends it. */
  label: string;
  danger?: boolean;
  close: () => void;
  children: (of: Wired['of']) => ComponentChildren;
}

/** A form in a dialog, with the way out beside the way on. */
export function FormDialog({ title, label, danger = false, close, children, ...options }: DialogProps) {
  const form = useForm(options);
  return (
    <Dialog title={title} close={close}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void form.submit(event.currentTarget);
        }}
      >
        {form.summary}
        {children(form.of)}
        <div class="actions">
          <button type="submit" class={`button ${danger ? 'danger' : 'primary'}`}>
            {label}
          </button>
          <button type="button" class="button" onClick={close}>
            {t('dialog.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

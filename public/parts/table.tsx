import type { ComponentChildren } from 'preact';

interface Props {
  label: string;
  /** The heads; `unseen` ones are for screen readers alone. */
  columns: { name: string; number?: boolean; unseen?: boolean }[];
  busy?: boolean;
  className?: string;
  children: ComponentChildren;
}

/** A table whose rows become cards when it is narrow: every cell says what it is by `data-label`. */
export function Table({ label, columns, busy = false, className, children }: Props) {
  return (
    <table class={className ? `table ${className}` : 'table'} role="table" aria-label={label} aria-busy={busy}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, number, unseen }) => (
            <th key={name} role="columnheader" scope="col" class={number ? 'number' : undefined}>
              {unseen ? <span class="unseen">{name}</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  );
}

/** A cell; `label` names it where the row is a card. */
export function Cell(props: {
  label?: string | undefined;
  wide?: boolean;
  className?: string | undefined;
  children: ComponentChildren;
}) {
  const className = [props.wide ? 'wide' : '', props.className ?? ''].filter(Boolean).join(' ');
  return (
    <td role="cell" class={className || undefined} data-label={props.label}>
      {props.children}
    </td>
  );
}

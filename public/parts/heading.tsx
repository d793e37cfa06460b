import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { arrival } from '../shell/router.js';

interface Props {
  title: string;
  /** The tab's name where it differs: a browser keeps it in its history, so it names no person. */
  tab?: string;
  lead?: string;
  children?: ComponentChildren;
}

/** The head of a screen: names the tab, and takes the focus when the screen was reached by a link. */
export function PageHead(props: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${props.tab ?? props.title} · Opname`;
  }, [props.tab ?? props.title]);
  useEffect(() => {
    if (arrival.peek() === 'link') heading.current?.focus();
  }, []);
  return (
    <div class="page-head">
      <div>
        <h1 ref={heading} tabIndex={-1}>
          {props.title}
        </h1>
        {props.lead !== undefined && <p>{props.lead}</p>}
      </div>
      {props.children !== undefined && <div class="actions">{props.children}</div>}
    </div>
  );
}

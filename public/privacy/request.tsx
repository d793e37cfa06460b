import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../api/client.js';
import { longDay, moment } from '../format.js';
import { t } from '../i18n.js';
import { Badge } from '../parts/badge.js';
import { PageHead } from '../parts/heading.js';
import { Icon } from '../parts/icon.js';
import { useNames } from '../parts/people.js';
import { Bones, Failure, useLoaded } from '../parts/state.js';
import type { ScreenProps } from '../shell/screens.js';
import { say } from '../shell/toast.js';
import { useUser } from '../shell/user.js';
import { AnswerPart } from './answer.js';
import { ApprovalPart } from './approval.js';
import { BackToQueue } from './back.js';
import { Left } from './due.js';
import { Facts } from './facts.js';
import { FindPart } from './find.js';
import { IdentityPart } from './identity.js';
import { IntakeForm } from './intake.js';
import { LetterPart } from './letter.js';
import { LiftPart } from './lift.js';
import { NoticesPart } from './notices.js';
import { RecipientsPart } from './recipients.js';
import { RectifyPart } from './rectify.js';
import { Stepper, stepOf } from './stepper.js';
import { Timeline } from './timeline.js';
import type { PartProps, RequestFile } from './types.js';
import './privacy.css';

/** The file of one request. Its title is its reference: a browser keeps titles in its history, and so no name. */
export function RequestScreen({ id }: ScreenProps) {
  const path = `/privacy-requests/${encodeURIComponent(id)}`;
  const loaded = useLoaded(path, (signal) => ask<RequestFile>(path, { signal }));
  const [renewed, setRenewed] = useState<RequestFile | undefined>();
  if (loaded.state !== 'ready') {
    return (
      <>
        <BackToQueue />
        <PageHead title={t('privacy.title')} />
        {loaded.state === 'failed' ? <Failure problem={loaded.problem} again={loaded.again} /> : <Bones count={6} />}
      </>
    );
  }
  const file = renewed ?? loaded.value;
  return (
    <>
      <BackToQueue />
      <File
        file={file}
        renew={setRenewed}
        again={() => void ask<RequestFile>(path).then(setRenewed, () => undefined)}
      />
    </>
  );
}

interface FileProps {
  file: RequestFile;
  renew: (file: RequestFile) => void;
  again: () => void;
}

function File({ file, renew, again }: FileProps) {
  const officer = useUser().role === 'privacy_officer';
  const nameOf = useNames();
  const step = stepOf(file);
  const part = useRef<HTMLDivElement>(null);
  const [moved, setMoved] = useState(0);
  const before = useRef(step);
  // An act that leads to the next step takes its form away: the focus goes to what is to be done now.
  useEffect(() => {
    if (before.current !== step) part.current?.querySelector<HTMLElement>(`#part-${step} h2`)?.focus();
    before.current = step;
  }, [moved]);
  const props: PartProps = {
    file,
    officer: officer && file.closedAt === null,
    nameOf,
    changed: (next, said) => {
      renew(next);
      say(said);
      setMoved((count) => count + 1);
    },
  };
  const open = file.closedAt === null;
  return (
    <>
      <PageHead title={t('privacy.file', { reference: file.reference })}>
        <span class="due-line">
          <span class="muted">{t('privacy.due')}</span> <strong>{longDay(file.dueAt)}</strong>
        </span>
        <Left request={file} />
        {file.extended && <Badge icon="later">{t('privacy.extended')}</Badge>}
        {file.secret && (
          <Badge icon="hidden" tone="hold">
            {t('privacy.secret')}
          </Badge>
        )}
      </PageHead>
      <Stepper file={file} />
      {file.urgent && file.nextExpiryAt && (
        <div class="notice warn">
          <Icon name="warning" />
          <div>
            {t('privacy.urgent')}: {t('privacy.urgentItem', { date: longDay(file.nextExpiryAt) })}.
          </div>
        </div>
      )}
      {officer && file.lettersDue.length > 0 && (
        <div class="notice warn">
          <Icon name="mail" />
          <div>
            {t('privacy.letterDue')} <a href="#notices-title">{file.lettersDue.map((due) => t(`notices.${due}`)).join(', ')}</a>
          </div>
        </div>
      )}
      <div class="file-columns">
        <div class="file-main" ref={part}>
          {file.state === 'draft' && props.officer && <CompletePart {...props} />}
          {file.state !== 'draft' && <IdentityPart {...props} />}
          {file.state !== 'draft' && <FindPart {...props} />}
          {officer && file.processes.some(({ right }) => right === 'rectification') && (
            <RectifyPart file={file} officer={props.officer} nameOf={nameOf} changed={again} />
          )}
          {(file.state === 'approval' || file.state === 'answer' || file.state === 'closed') && (
            <ApprovalPart {...props} />
          )}
          {props.officer && ['decide', 'approval', 'answer'].includes(file.state) && <LetterPart {...props} />}
          {(file.state === 'answer' || !open) && officer && <AnswerPart {...props} fetched={again} />}
          {officer && (file.state === 'answer' || !open) && <RecipientsPart file={file} nameOf={nameOf} changed={again} />}
          {!open && (
            <p class="panel padded muted" id="part-closed">
              {t('close.closed', { when: moment(file.closedAt ?? '') })}
              {file.outcome && `: ${t(`closed.${file.outcome}`)}`}
            </p>
          )}
          {officer && !open && <LiftPart file={file} changed={props.changed} />}
          {officer && file.state !== 'draft' && <NoticesPart file={file} changed={again} />}
          <Timeline {...props} />
        </div>
        <Facts {...props} />
      </div>
    </>
  );
}

function CompletePart({ file, changed }: PartProps) {
  return (
    <section class="panel padded part now" id="part-draft" aria-labelledby="complete-title">
      <h2 id="complete-title" tabIndex={-1}>
        {t('intake.complete')}
      </h2>
      <p class="muted">{t('intake.completeWhy')}</p>
      <IntakeForm file={file} done={(next) => changed(next, t('intake.savedChange'))} />
    </section>
  );
}

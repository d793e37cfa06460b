import type { ComponentChildren } from 'preact';
import { daysUntil, longDay } from '../format.js';
import { plural, t } from '../i18n.js';
import { Icon, type IconName } from './icon.js';

type Tone = 'neutral' | 'ok' | 'warn' | 'error' | 'hold' | 'accent';

/** A status: icon, word and shape. `plain` leaves the outline away, for tables. */
export function Badge(props: {
  icon: IconName;
  tone?: Tone;
  plain?: boolean;
  title?: string;
  children: ComponentChildren;
}) {
  const { icon, tone = 'neutral', plain = false, title, children } = props;
  return (
    <span class={`badge ${tone}${plain ? ' plain' : ''}`} title={title}>
      <Icon name={icon} />
      <span>{children}</span>
    </span>
  );
}

/** How long a recording is still kept; within a week it warns. A held one stays until its hold is released. */
export function RetentionBadge(props: { retainUntil: string; held?: boolean | undefined; plain?: boolean }) {
  const days = daysUntil(props.retainUntil);
  const plain = props.plain ?? false;
  const title = t('retention.until', { date: longDay(props.retainUntil) });
  if (props.held) {
    return (
      <Badge icon="hold" tone="hold" plain={plain} title={title}>
        {t('retention.held')}
      </Badge>
    );
  }
  return (
    <Badge icon={days <= 7 ? 'bin' : 'clock'} tone={days <= 7 ? 'warn' : 'neutral'} plain={plain} title={title}>
      {days > 120 ? title : days <= 1 ? t('retention.withinDay') : plural('retention.days', days)}
    </Badge>
  );
}

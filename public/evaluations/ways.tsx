import type { PlainKey } from '../i18n.js';
import { t } from '../i18n.js';
import { useUser } from '../shell/user.js';
import './evaluations.css';

const trainers: { path: string; label: PlainKey }[] = [
  { path: '/evaluations', label: 'evaluations.title' },
  { path: '/evaluations/sample', label: 'samples.title' },
  { path: '/evaluations/coverage', label: 'coverage.title' },
  { path: '/evaluations/outcomes', label: 'outcomes.title' },
  { path: '/evaluations/scorecards', label: 'cards.title' },
];
const agents = trainers.filter(({ path }) => path === '/evaluations' || path === '/evaluations/outcomes');

/** The screens about evaluating, side by side. */
export function Ways({ here }: { here: string }) {
  const { role } = useUser();
  if (role !== 'trainer' && role !== 'agent') return null;
  return (
    <nav class="ways" aria-label={t('evaluations.ways')}>
      <ul>
        {(role === 'agent' ? agents : trainers).map(({ path, label }) => (
          <li key={path}>
            <a href={path} aria-current={path === here ? 'page' : undefined}>
              {t(label)}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

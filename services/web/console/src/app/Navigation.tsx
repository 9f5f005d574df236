// Ways to the pages: at the side on wide screens, at the bottom on narrow ones.
import { ApartmentOutlined, AppstoreOutlined, CalendarOutlined, DashboardOutlined, ProfileOutlined } from '@ant-design/icons';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Brand } from '@/components/Brand';

const places = [
  { to: '/', label: 'nav.overview', icon: <AppstoreOutlined aria-hidden /> },
  { to: '/collectors', label: 'nav.collectors', icon: <ApartmentOutlined aria-hidden /> },
  { to: '/meters', label: 'nav.meters', icon: <DashboardOutlined aria-hidden /> },
  { to: '/runs', label: 'nav.runs', icon: <ProfileOutlined aria-hidden /> },
  { to: '/schedules', label: 'nav.schedules', icon: <CalendarOutlined aria-hidden /> },
] as const;

function Links({ className }: { className?: string }) {
  const { t } = useTranslation();
  return places.map(({ to, label, icon }) => (
    <Link
      key={to}
      to={to}
      className={className}
      activeProps={{ className: 'active' }}
      activeOptions={{ exact: to === '/', includeSearch: false }}
    >
      {icon}
      <span>{t(label)}</span>
    </Link>
  ));
}

export function SideNav() {
  const { t } = useTranslation();
  return (
    <aside className="side">
      <Brand />
      <nav aria-label={t('nav.main')}>
        <Links className="nav-link" />
      </nav>
      <div className="side-foot">{t('app.zone')}</div>
    </aside>
  );
}

export function BottomNav() {
  const { t } = useTranslation();
  return (
    <nav className="bottom" aria-label={t('nav.main')}>
      <Links />
    </nav>
  );
}

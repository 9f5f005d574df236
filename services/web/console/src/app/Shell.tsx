// The frame of every page behind sign-in: asks who the user is, leads to sign-in when nobody, runs the live stream.
import { Code } from '@connectrpc/connect';
import { useQueryClient } from '@tanstack/react-query';
import { Navigate, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { Spin } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '@/api/errors';
import { useMe } from '@/api/queries';
import { onSessionEnd } from '@/api/transport';
import { ErrorState } from '@/components/States';
import { LiveProvider } from '@/live/LiveProvider';
import { BottomNav, SideNav } from './Navigation';
import { TopBar } from './TopBar';

export function Shell() {
  const { t } = useTranslation();
  const me = useMe();
  const location = useLocation();
  const navigate = useNavigate();
  const queryClient = useQueryClient();

  useEffect(
    () =>
      onSessionEnd(() => {
        queryClient.clear();
        void navigate({ to: '/login', search: { ended: true, next: window.location.pathname + window.location.search } });
      }),
    [navigate, queryClient],
  );

  if (me.isPending) return <Spin fullscreen description={t('app.loading')} />;
  if (me.error) {
    if (failureOf(me.error).code === Code.Unauthenticated) {
      const next = location.href === '/' ? undefined : location.href;
      return <Navigate to="/login" search={{ next }} replace />;
    }
    return <ErrorState error={me.error} retry={() => void me.refetch()} />;
  }
  return (
    <LiveProvider>
      <div className="shell">
        <a className="skip" href="#content">
          {t('app.skip')}
        </a>
        <SideNav />
        <TopBar me={me.data} />
        <main className="content" id="content" tabIndex={-1}>
          <Outlet />
        </main>
        <BottomNav />
      </div>
    </LiveProvider>
  );
}

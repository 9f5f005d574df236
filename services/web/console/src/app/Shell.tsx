// The frame of every page behind sign-in: asks who the user is, leads to sign-in when nobody, runs the live stream.
import { Code } from '@connectrpc/connect';
import { Outlet, useRouter } from '@tanstack/react-router';
import { Spin } from 'antd';
import { useCallback, useEffect } from 'react';
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
  const router = useRouter();
  const stranger = failureOf(me.error).code === Code.Unauthenticated;

  // Several calls may learn of it at once, and this frame stands until the sign-in page has taken its place: go once.
  const leave = useCallback(
    (ended: boolean) => {
      const { pathname, href } = router.latestLocation;
      if (pathname === '/login') return;
      void router.navigate({
        to: '/login',
        search: { next: href === '/' ? undefined : href, ended: ended || undefined },
        replace: true,
      });
    },
    [router],
  );
  useEffect(() => onSessionEnd(() => leave(true)), [leave]);
  useEffect(() => {
    if (stranger) leave(false);
  }, [stranger, leave]);

  if (me.isPending || stranger) return <Spin fullscreen description={t('app.loading')} />;
  if (me.error) {
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

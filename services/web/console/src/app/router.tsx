// The pages and their addresses. Filters and open drawers live in the address, so that what one sees can be sent to others.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouterHistory,
} from '@tanstack/react-router';
import { NotFoundPage, PageFailed } from './Fallbacks';
import { Shell } from './Shell';
import { LoginPage } from '@/pages/login/LoginPage';

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const rootRoute = createRootRoute({ notFoundComponent: NotFoundPage });

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  component: LoginPage,
  // Where to go after sign-in: a path of this page only, never another site.
  validateSearch: (search): { next?: string; ended?: boolean } => ({
    next: text(search.next)?.startsWith('/') && !text(search.next)?.startsWith('//') ? text(search.next) : undefined,
    ended: search.ended === true ? true : undefined,
  }),
});

const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: 'shell', component: Shell });

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  component: lazyRouteComponent(() => import('@/pages/overview/OverviewPage'), 'OverviewPage'),
});

const collectorsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/collectors',
  component: lazyRouteComponent(() => import('@/pages/collectors/CollectorsPage'), 'CollectorsPage'),
  validateSearch: (search): { q?: string } => ({ q: text(search.q) }),
});

const metersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/meters',
  component: lazyRouteComponent(() => import('@/pages/meters/MetersPage'), 'MetersPage'),
  validateSearch: (search): { q?: string; kind?: string; collector?: string; meter?: string } => ({
    q: text(search.q),
    kind: text(search.kind),
    collector: text(search.collector),
    meter: text(search.meter),
  }),
});

const runsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/runs',
  component: lazyRouteComponent(() => import('@/pages/runs/RunsPage'), 'RunsPage'),
  validateSearch: (search): { run?: string } => ({ run: text(search.run) }),
});

const schedulesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/schedules',
  component: lazyRouteComponent(() => import('@/pages/schedules/SchedulesPage'), 'SchedulesPage'),
  validateSearch: (search): { create?: boolean } => ({ create: search.create === true ? true : undefined }),
});

const routeTree = rootRoute.addChildren([
  loginRoute,
  shellRoute.addChildren([overviewRoute, collectorsRoute, metersRoute, runsRoute, schedulesRoute]),
]);

export function makeRouter(history?: RouterHistory) {
  return createRouter({
    routeTree,
    history,
    defaultPreload: 'intent',
    defaultErrorComponent: PageFailed,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

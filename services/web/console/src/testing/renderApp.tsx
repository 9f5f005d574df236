// The whole console over a fake server, opened at a path.
import { createMemoryHistory, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { createQueryClient } from '@/api/query_client';
import { Providers } from '@/app/Providers';
import { makeRouter } from '@/app/router';
import type { Fake } from './fake';

export function renderApp(fake: Fake, path = '/') {
  const router = makeRouter(createMemoryHistory({ initialEntries: [path] }));
  const view = render(
    <Providers transport={fake.transport()} queryClient={createQueryClient()}>
      <RouterProvider router={router} />
    </Providers>,
  );
  return { ...view, router, user: userEvent.setup({ delay: null }) };
}

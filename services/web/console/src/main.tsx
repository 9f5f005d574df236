// Starts the console.
import 'antd/dist/reset.css';
import './styles/tokens.css';
import './styles/parts.css';
import './styles/shell.css';
import type { Transport } from '@connectrpc/connect';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueryClient } from './api/query_client';
import { createWebTransport } from './api/transport';
import { Providers } from './app/Providers';
import { makeRouter } from './app/router';
import { startI18n, startLanguage } from './i18n';

// `vite --mode mock` shows the console over a simulated server inside the page; nothing of it is in a real build.
async function makeTransport(): Promise<Transport> {
  if (import.meta.env.MODE === 'mock') return (await import('./testing/demo')).createDemoTransport();
  return createWebTransport();
}

async function start(): Promise<void> {
  startI18n(startLanguage());
  const transport = await makeTransport();
  const queryClient = createQueryClient();
  const router = makeRouter();
  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <Providers transport={transport} queryClient={queryClient}>
        <RouterProvider router={router} />
      </Providers>
    </StrictMode>,
  );
}

void start();

// What stands where data would: nothing there yet, not loaded, still loading.
import { CloudOutlined, InboxOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '@/api/errors';

interface EmptyProps {
  title: string;
  hint?: string;
  icon?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ title, hint, icon, action }: EmptyProps) {
  return (
    <div className="state">
      <span aria-hidden style={{ fontSize: 34, color: 'var(--border-strong)' }}>
        {icon ?? <InboxOutlined aria-hidden />}
      </span>
      <strong>{title}</strong>
      {hint && <p>{hint}</p>}
      {action}
    </div>
  );
}

export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="state" role="alert">
      <span aria-hidden style={{ fontSize: 34, color: 'var(--bad)' }}>
        <CloudOutlined aria-hidden />
      </span>
      <strong>{errorText(t, error)}</strong>
      {retry && <Button onClick={retry}>{t('app.retry')}</Button>}
    </div>
  );
}

export function Loading({ rows = 5 }: { rows?: number }) {
  return (
    <div style={{ padding: 18 }}>
      <Skeleton active title={false} paragraph={{ rows }} />
    </div>
  );
}

interface LoadedProps<T> {
  query: { isPending: boolean; error: unknown; data: T | undefined; refetch: () => unknown };
  rows?: number;
  children: (data: T) => ReactNode;
}

// The three states of a query, then its data. Data that is there stays on screen when a refresh fails.
export function Loaded<T>({ query, rows, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return <Loading rows={rows} />;
}

// What is shown when a page cannot be: unknown address, an error of ours.
import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <div className="state">
      <strong>{t('app.notFound')}</strong>
      <Link to="/">{t('app.backHome')}</Link>
    </div>
  );
}

export function PageFailed({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <div className="state" role="alert">
      <strong>{t('app.unexpected')}</strong>
      <p>{t('app.unexpectedHint')}</p>
      <code className="mono">{String(error)}</code>
      <Button type="primary" onClick={() => window.location.reload()}>
        {t('app.reload')}
      </Button>
    </div>
  );
}

// Chinese or English; the button bears the other language's own name.
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { setLanguage } from '@/i18n';

export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  return (
    <Button
      type="text"
      aria-label={`${t('app.switchLanguage')} (${t('app.language')})`}
      onClick={() => setLanguage(i18n.language === 'zh' ? 'en' : 'zh')}
    >
      {t('app.switchLanguage')}
    </Button>
  );
}

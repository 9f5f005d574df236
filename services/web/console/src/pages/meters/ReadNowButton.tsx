// Reads one meter from its row: the outcome comes as a notice, the new values into the row itself.
import { ThunderboltOutlined } from '@ant-design/icons';
import { App, Button, Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { errorText, reasonText } from '@/api/errors';
import { useCan } from '@/api/permissions';
import { isFinal, useReadNow } from '@/api/read_now';
import { ReadingValue } from '@/components/ReadingValue';
import { Operation_State } from '@/gen/voltwell/scheduler/v1/operation_pb';
import type { Meter } from '@/gen/voltwell/registry/v1/meter_pb';

export function ReadNowButton({ meter, registers }: { meter: Meter; registers: string[] }) {
  const { t } = useTranslation();
  const { notification } = App.useApp();
  const allowed = useCan('operation.execute');
  const read = useReadNow();

  function start() {
    read.mutate(
      { meter: meter.name, registers },
      {
        onSuccess: (operation) => {
          if (operation.state === Operation_State.SUCCEEDED) {
            notification.success({
              title: `${meter.displayName} · ${t('read.succeeded')}`,
              description: <ReadingValue reading={operation.readings[0]} />,
            });
          } else if (isFinal(operation)) {
            notification.error({
              title: `${meter.displayName} · ${t('read.failed')}`,
              description: reasonText(t, operation.reason),
            });
          } else {
            notification.info({ title: `${meter.displayName} · ${t('read.unknown')}`, description: t('read.stillRunning') });
          }
        },
        onError: (error) =>
          notification.error({ title: `${meter.displayName} · ${t('read.failed')}`, description: errorText(t, error) }),
      },
    );
  }

  if (!allowed) return null;
  return (
    <Tooltip title={t('read.now')}>
      <Button
        size="small"
        icon={<ThunderboltOutlined aria-hidden />}
        loading={read.isPending}
        aria-label={`${t('read.now')} ${meter.displayName}`}
        onClick={(event) => {
          event.stopPropagation();
          start();
        }}
      >
        {read.isPending ? t('read.reading') : t('read.now')}
      </Button>
    </Tooltip>
  );
}

// Read now, with a choice of registers, and the outcome below.
import { ThunderboltOutlined } from '@ant-design/icons';
import { Alert, Button, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCan } from '@/api/permissions';
import { registersMax, useReadNow } from '@/api/read_now';
import { useRegisterTitles } from '@/components/useRegisterTitles';
import type { Meter } from '@/gen/voltwell/registry/v1/meter_pb';
import type { Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { defaultRegisters } from './latest';
import { ReadResult } from './ReadResult';

export function ReadNowPanel({ meter, latest, offline }: { meter: Meter; latest: Reading[]; offline: boolean }) {
  const { t } = useTranslation();
  const allowed = useCan('operation.execute');
  const read = useReadNow();
  const { options } = useRegisterTitles();
  const [chosen, setChosen] = useState<string[]>([]);
  if (!allowed) return null;
  const registers = chosen.length > 0 ? chosen : defaultRegisters(meter, latest);
  return (
    <section>
      {offline && <Alert type="warning" showIcon title={t('reason.OFFLINE')} style={{ marginBottom: 12 }} />}
      <div style={{ display: 'flex', gap: 10, flexWrap: 'wrap' }}>
        <Select
          mode="multiple"
          style={{ flex: '1 1 180px', minWidth: 0 }}
          aria-label={t('read.choose')}
          placeholder={t('read.choose')}
          maxTagCount="responsive"
          maxCount={registersMax}
          value={chosen}
          onChange={setChosen}
          options={options}
          showSearch={{ optionFilterProp: 'title' }}
        />
        <Button
          type="primary"
          icon={<ThunderboltOutlined aria-hidden />}
          loading={read.isPending}
          onClick={() => read.mutate({ meter: meter.name, registers })}
        >
          {read.data || read.error ? t('read.again') : t('read.now')}
        </Button>
      </div>
      <ReadResult read={read} />
    </section>
  );
}

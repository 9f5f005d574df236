// What became of a read-now, in words: the values, or why there are none.
import { LoadingOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { errorText, reasonText } from '@/api/errors';
import type { useReadNow } from '@/api/read_now';
import { isFinal } from '@/api/read_now';
import { ReadingValue } from '@/components/ReadingValue';
import { useRegisterTitles } from '@/components/useRegisterTitles';
import { clock, millis } from '@/format/time';
import { type Operation, Operation_State } from '@/gen/voltwell/scheduler/v1/operation_pb';

function seconds(operation: Operation): string | undefined {
  const start = millis(operation.createTime);
  const end = millis(operation.endTime);
  return start !== undefined && end !== undefined ? ((end - start) / 1000).toFixed(1) : undefined;
}

function Values({ operation }: { operation: Operation }) {
  const { titleOf } = useRegisterTitles();
  return (
    <dl className="result-values">
      {operation.readings.map((reading) => (
        <div key={reading.register}>
          <dt>{titleOf(reading.register)}</dt>
          <dd>
            <ReadingValue reading={reading} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function ReadResult({ read }: { read: ReturnType<typeof useReadNow> }) {
  const { t } = useTranslation();
  if (read.isPending) {
    return (
      <div className="result" role="status">
        <div className="result-head">
          <LoadingOutlined aria-hidden /> {t('read.waiting')}
        </div>
      </div>
    );
  }
  if (read.error) {
    return (
      <div className="result bad" role="alert">
        <div className="result-head bad">{t('read.failed')}</div>
        {errorText(t, read.error)}
      </div>
    );
  }
  const operation = read.data;
  if (!operation) return null;
  if (!isFinal(operation)) {
    return (
      <div className="result" role="status">
        <div className="result-head">{t('read.unknown')}</div>
        {t('read.stillRunning')}
      </div>
    );
  }
  const end = millis(operation.endTime);
  if (operation.state === Operation_State.FAILED) {
    return (
      <div className="result bad" role="alert">
        <div className="result-head bad">{t('read.failed')}</div>
        {reasonText(t, operation.reason)}
        {operation.readings.length > 0 && <Values operation={operation} />}
      </div>
    );
  }
  const took = seconds(operation);
  return (
    <div className="result good" role="status">
      <div className="result-head good">
        {t('read.succeeded')}
        <span className="quiet num">
          {end !== undefined && clock(end)} {took && `· ${t('read.succeededIn', { seconds: took })}`}
        </span>
      </div>
      {operation.reason && <div>{`${t('read.partly')} · ${reasonText(t, operation.reason)}`}</div>}
      <Values operation={operation} />
    </div>
  );
}

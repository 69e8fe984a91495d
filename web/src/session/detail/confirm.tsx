// The last look before an answer: these arguments, exactly, and the digest the approval binds to.
import { Button } from 'react-aria-components/Button';
import type { Answer, Hold } from '../../../../src/engine/types.ts';
import type { ApiError } from '../../api/client.ts';
import { JsonView } from '../../ui/json-view.tsx';
import { Dialog, Heading, Modal, ModalOverlay } from '../../ui/modal.ts';

export function ConfirmAnswer(props: {
  hold: Hold;
  answer: Answer;
  isSending: boolean;
  error: ApiError | null;
  onConfirm: () => void;
  onCancel: () => void;
}) {
  const { hold, answer, error } = props;
  const verb = answer.approve ? 'Approve' : 'Refuse';
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      onOpenChange={(open) => !open && !props.isSending && props.onCancel()}
    >
      <Modal className="modal">
        <Dialog className="dialog" role="alertdialog">
          <Heading slot="title">
            {verb} <code>{hold.name || hold.kind}</code> with exactly these arguments?
          </Heading>
          <div className="confirm-args">
            <JsonView value={hold.args} />
          </div>
          <p>
            {answer.approve
              ? 'It may run once, with these arguments and no others.'
              : 'It will not run. The agent is told so.'}
          </p>
          <dl className="pairs">
            <div>
              <dt>answered by</dt>
              <dd>
                {answer.by} as {answer.role}
              </dd>
            </div>
            {answer.reason && (
              <div>
                <dt>reason</dt>
                <dd>{answer.reason}</dd>
              </div>
            )}
            <div>
              <dt>binds to</dt>
              <dd>
                <code className="whole-digest">{hold.binding}</code>
              </dd>
            </div>
          </dl>
          {error && (
            <p className="form-error" role="alert">
              {error.message} {error.mend}
            </p>
          )}
          <div className="dialog-actions">
            <Button className="button" onPress={props.onCancel} isDisabled={props.isSending} autoFocus>
              Cancel
            </Button>
            <Button
              className={answer.approve ? 'button primary' : 'button danger'}
              onPress={props.onConfirm}
              isPending={props.isSending}
            >
              {verb}
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

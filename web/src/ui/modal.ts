// React Aria's modal parts under one roof, so that each dialog imports one line.
export { Dialog } from 'react-aria-components/Dialog';
export { Heading } from 'react-aria-components/Heading';
export { Modal, ModalOverlay } from 'react-aria-components/Modal';

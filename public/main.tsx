import { render } from 'preact';
import { App } from './shell/app.js';
import { startRouter } from './shell/router.js';
import { openSession } from './shell/session.js';

const root = document.getElementById('app');
if (!root) throw new Error('The page has no #app');
startRouter();
void openSession();
render(<App />, root);

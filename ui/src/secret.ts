/** Entry of the window where secrets are shown and typed. */
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/secret.css';
import Secret from './pages/Secret.svelte';

mount(Secret, { target: document.body });

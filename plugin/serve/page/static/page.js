// Keeps the page up to date, and makes it quick to use by keyboard. The page works without it.
'use strict';

const find = document.getElementById('find');
const live = document.getElementById('live');
let asked = 0;

// Replaces the parts of the page that change by those of another page.
function take(text) {
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  const focus = document.activeElement;
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.innerHTML && next.className === part.className) continue;
    const href = part.contains(focus) && focus.getAttribute('href');
    part.className = next.className;
    part.replaceChildren(...next.childNodes);
    if (href) {
      for (const link of part.querySelectorAll('a')) {
        if (link.getAttribute('href') === href) { link.focus(); break; }
      }
    }
  }
}

// Gets a page and takes its parts. The answer to an earlier question is dropped.
async function refresh(url) {
  const turn = ++asked;
  try {
    const answer = await fetch(url, { headers: { Accept: 'text/html' } });
    const text = await answer.text();
    if (turn === asked && (answer.ok || answer.status === 404)) take(text);
    return turn === asked;
  } catch {
    return false; // the stream of changes says that the gateway is away
  }
}

let soon = 0;
function later() {
  clearTimeout(soon);
  soon = setTimeout(() => refresh(location.href), 150);
}

const changes = new EventSource('/events');
changes.addEventListener('open', () => { live.textContent = 'live'; live.classList.add('on'); later(); });
changes.addEventListener('error', () => { live.textContent = 'not live'; live.classList.remove('on'); });
changes.addEventListener('change', (event) => {
  const change = JSON.parse(event.data);
  document.getElementById('announce').textContent = change.text;
  later();
});
// Workers and times change without an event.
setInterval(() => { if (!document.hidden) refresh(location.href); }, 10000);

if (location.pathname === '/routes') {
  let typing = 0;
  find.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const url = new URL('/routes', location.origin);
      if (find.value) url.searchParams.set('q', find.value);
      history.replaceState(null, '', url);
      refresh(url);
    }, 120);
  });
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === '/' && !typing) {
    event.preventDefault();
    find.focus();
    find.select();
    return;
  }
  const rows = [...document.querySelectorAll('a.row')];
  const at = rows.indexOf(document.activeElement);
  if (event.key === 'ArrowDown' && rows.length && (at >= 0 || event.target === find)) {
    event.preventDefault();
    rows[Math.min(at + 1, rows.length - 1)].focus();
  } else if (event.key === 'ArrowUp' && at >= 0) {
    event.preventDefault();
    (at ? rows[at - 1] : find).focus();
  } else if (event.key === 'Escape' && event.target === find) {
    find.blur();
  }
});

// Runs before the first paint: applies the remembered theme, if one was chosen. Nothing else may happen here.
try {
  const theme = localStorage.getItem('interlock.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's preference holds then.
}

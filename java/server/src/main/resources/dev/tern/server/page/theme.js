// Before anything is painted: light or dark, where the user has said so.
try {
    document.documentElement.dataset.theme = JSON.parse(localStorage.getItem('tern.settings'))?.theme ?? 'auto';
} catch {
    document.documentElement.dataset.theme = 'auto';
}

#compdef automix

_automix_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _AUTOMIX_COMPLETE=complete_zsh automix)
}

compdef _automix_completion automix

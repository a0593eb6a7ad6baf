"""Many stock points together: serial and tree networks, general distribution networks, fair shares, transfers."""

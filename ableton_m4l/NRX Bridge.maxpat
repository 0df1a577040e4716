{
 "patcher": {
  "fileversion": 1,
  "appversion": {
   "major": 8,
   "minor": 5,
   "revision": 8,
   "architecture": "x64",
   "modernui": 1
  },
  "classnamespace": "box",
  "rect": [
   60.0,
   80.0,
   900.0,
   620.0
  ],
  "openrect": [
   0.0,
   0.0,
   602.0,
   169.0
  ],
  "openinpresentation": 1,
  "default_fontsize": 10.0,
  "default_fontface": 0,
  "default_fontname": "Arial Bold",
  "gridonopen": 1,
  "gridsize": [
   8.0,
   8.0
  ],
  "gridsnaponopen": 1,
  "objectsnaponopen": 1,
  "statusbarvisible": 2,
  "toolbarvisible": 1,
  "boxanimatetime": 500,
  "devicewidth": 602.0,
  "description": "Remix this track in another style with NRX Bridge",
  "boxes": [
   {
    "box": {
     "id": "obj-1",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 2,
     "patching_rect": [
      20.0,
      20.0,
      60.0,
      22.0
     ],
     "outlettype": [
      "signal",
      "signal"
     ],
     "text": "plugin~"
    }
   },
   {
    "box": {
     "id": "obj-2",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 2,
     "patching_rect": [
      20.0,
      120.0,
      60.0,
      22.0
     ],
     "outlettype": [
      "signal",
      "signal"
     ],
     "text": "plugout~"
    }
   },
   {
    "box": {
     "id": "obj-3",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      120.0,
      120.0,
      160.0,
      22.0
     ],
     "outlettype": [
      "signal"
     ],
     "text": "sfrecord~ 2 @bitdepth 24"
    }
   },
   {
    "box": {
     "id": "obj-4",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 3,
     "patching_rect": [
      320.0,
      20.0,
      100.0,
      22.0
     ],
     "outlettype": [
      "bang",
      "int",
      "int"
     ],
     "text": "live.thisdevice"
    }
   },
   {
    "box": {
     "id": "obj-5",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      440.0,
      20.0,
      110.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "udpreceive 39200"
    }
   },
   {
    "box": {
     "id": "obj-6",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      320.0,
      70.0,
      60.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "deferlow"
    }
   },
   {
    "box": {
     "id": "obj-7",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 5,
     "patching_rect": [
      320.0,
      420.0,
      120.0,
      22.0
     ],
     "outlettype": [
      "",
      "",
      "",
      "",
      ""
     ],
     "text": "js nrx.js",
     "saved_object_attributes": {
      "filename": "nrx.js",
      "parameter_enable": 0
     }
    }
   },
   {
    "box": {
     "id": "obj-8",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      120.0,
      480.0,
      160.0,
      22.0
     ],
     "text": "udpsend 127.0.0.1 39100"
    }
   },
   {
    "box": {
     "id": "obj-9",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 9,
     "patching_rect": [
      320.0,
      480.0,
      380.0,
      22.0
     ],
     "outlettype": [
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      ""
     ],
     "text": "route light stage percent left error used styles style"
    }
   },
   {
    "box": {
     "id": "obj-10",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 3,
     "patching_rect": [
      20.0,
      420.0,
      110.0,
      22.0
     ],
     "outlettype": [
      "",
      "",
      ""
     ],
     "text": "pattr nrx_state",
     "parameter_enable": 1,
     "varname": "nrx_state",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "nrx_state",
       "parameter_shortname": "State",
       "parameter_type": 3,
       "parameter_modmode": 0,
       "parameter_invisible": 1
      }
     }
    }
   },
   {
    "box": {
     "id": "obj-11",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      20.0,
      460.0,
      90.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend state"
    }
   },
   {
    "box": {
     "id": "obj-12",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      440.0,
      100.0,
      18.0
     ],
     "text": "Style",
     "presentation": 1,
     "presentation_rect": [
      8.0,
      32.0,
      150.0,
      14.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-13",
     "maxclass": "live.menu",
     "numinlets": 1,
     "numoutlets": 3,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "",
      "float"
     ],
     "presentation": 1,
     "presentation_rect": [
      8.0,
      46.0,
      150.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Style",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Style",
       "parameter_shortname": "Style",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 0,
       "parameter_enum": [
        "Acoustic",
        "EDM",
        "Jazz",
        "Lo-fi chill",
        "Neo-soul",
        "Orchestral",
        "Rock",
        "Synthwave"
       ],
       "parameter_mmax": 7,
       "parameter_initial": [
        3
       ],
       "parameter_initial_enable": 1
      }
     },
     "annotation": "The style of the remix. Styles of your own follow after these.",
     "annotation_name": "Style"
    }
   },
   {
    "box": {
     "id": "obj-14",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      520.0,
      100.0,
      18.0
     ],
     "text": "From",
     "presentation": 1,
     "presentation_rect": [
      8.0,
      68.0,
      150.0,
      14.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-15",
     "maxclass": "live.menu",
     "numinlets": 1,
     "numoutlets": 3,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "",
      "float"
     ],
     "presentation": 1,
     "presentation_rect": [
      8.0,
      82.0,
      150.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Source",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Source",
       "parameter_shortname": "Source",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 1,
       "parameter_enum": [
        "This track's clips",
        "Selected clip",
        "Record input"
       ],
       "parameter_mmax": 2,
       "parameter_initial": [
        0
       ],
       "parameter_initial_enable": 1
      }
     },
     "annotation": "What the remix is made from: this track's clips in the Arrangement, the clip that is selected, or what reaches the device, recorded in real time over the loop brace.",
     "annotation_name": "Source"
    }
   },
   {
    "box": {
     "id": "obj-16",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      0.0,
      100.0,
      18.0
     ],
     "text": "Land in",
     "presentation": 1,
     "presentation_rect": [
      8.0,
      104.0,
      150.0,
      14.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-17",
     "maxclass": "live.menu",
     "numinlets": 1,
     "numoutlets": 3,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "",
      "float"
     ],
     "presentation": 1,
     "presentation_rect": [
      8.0,
      118.0,
      150.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Landing",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Landing",
       "parameter_shortname": "Landing",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 1,
       "parameter_enum": [
        "Arrangement",
        "Session"
       ],
       "parameter_mmax": 1,
       "parameter_initial": [
        0
       ],
       "parameter_initial_enable": 1
      }
     },
     "annotation": "Where the stems land: in the Arrangement at the beat where the source begins, or in Session slots.",
     "annotation_name": "Landing"
    }
   },
   {
    "box": {
     "id": "obj-18",
     "maxclass": "live.dial",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "presentation": 1,
     "presentation_rect": [
      170.0,
      6.0,
      44.0,
      48.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Energy",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Energy",
       "parameter_shortname": "Energy",
       "parameter_type": 0,
       "parameter_modmode": 0,
       "parameter_invisible": 0,
       "parameter_mmin": 0.5,
       "parameter_mmax": 2.0,
       "parameter_initial": [
        1.0
       ],
       "parameter_initial_enable": 1,
       "parameter_unitstyle": 1
      }
     },
     "annotation": "How busy and loud the new parts play; 1 is what the style asks for.",
     "annotation_name": "Energy"
    }
   },
   {
    "box": {
     "id": "obj-19",
     "maxclass": "live.dial",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "presentation": 1,
     "presentation_rect": [
      218.0,
      6.0,
      44.0,
      48.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Brightness",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Brightness",
       "parameter_shortname": "Bright",
       "parameter_type": 0,
       "parameter_modmode": 0,
       "parameter_invisible": 0,
       "parameter_mmin": 0.5,
       "parameter_mmax": 2.0,
       "parameter_initial": [
        1.0
       ],
       "parameter_initial_enable": 1,
       "parameter_unitstyle": 1
      }
     },
     "annotation": "How bright the new parts sound; 1 is what the style asks for.",
     "annotation_name": "Brightness"
    }
   },
   {
    "box": {
     "id": "obj-20",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      160.0,
      100.0,
      18.0
     ],
     "text": "Tempo",
     "presentation": 1,
     "presentation_rect": [
      168.0,
      58.0,
      96.0,
      14.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-21",
     "maxclass": "live.menu",
     "numinlets": 1,
     "numoutlets": 3,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "",
      "float"
     ],
     "presentation": 1,
     "presentation_rect": [
      168.0,
      72.0,
      96.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Tempo",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Tempo",
       "parameter_shortname": "Tempo",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 1,
       "parameter_enum": [
        "The Set's",
        "The style's"
       ],
       "parameter_mmax": 1,
       "parameter_initial": [
        0
       ],
       "parameter_initial_enable": 1
      }
     },
     "annotation": "The Set's own bars, or a tempo of the style's; then set Live's tempo to what the device says.",
     "annotation_name": "Tempo"
    }
   },
   {
    "box": {
     "id": "obj-22",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Keep vocals",
     "presentation": 1,
     "presentation_rect": [
      168.0,
      94.0,
      96.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Keep Vocals",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Keep Vocals",
       "parameter_shortname": "Vocals",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 1,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1,
       "parameter_initial": [
        1
       ],
       "parameter_initial_enable": 1
      }
     },
     "mode": 1,
     "texton": "Keep vocals",
     "annotation": "Whether the song's voice goes into the remix.",
     "annotation_name": "Keep Vocals"
    }
   },
   {
    "box": {
     "id": "obj-23",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Follow tempo",
     "presentation": 1,
     "presentation_rect": [
      168.0,
      113.0,
      96.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Follow Tempo",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Follow Tempo",
       "parameter_shortname": "Warp",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 1,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1,
       "parameter_initial": [
        0
       ],
       "parameter_initial_enable": 1
      }
     },
     "mode": 1,
     "texton": "Follow tempo",
     "annotation": "Switch warping on in the clips that land, where the tempo is constant and Live hears it as it is.",
     "annotation_name": "Follow Tempo"
    }
   },
   {
    "box": {
     "id": "obj-24",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Locators",
     "presentation": 1,
     "presentation_rect": [
      168.0,
      132.0,
      54.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Locators",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Locators",
       "parameter_shortname": "Locators",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 1,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1,
       "parameter_initial": [
        0
       ],
       "parameter_initial_enable": 1
      }
     },
     "mode": 1,
     "texton": "Locators",
     "annotation": "Set a locator at each section when the stems land.",
     "annotation_name": "Locators"
    }
   },
   {
    "box": {
     "id": "obj-25",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "MIDI",
     "presentation": 1,
     "presentation_rect": [
      226.0,
      132.0,
      38.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX MIDI",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX MIDI",
       "parameter_shortname": "MIDI",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 1,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1,
       "parameter_initial": [
        0
       ],
       "parameter_initial_enable": 1
      }
     },
     "mode": 1,
     "texton": "MIDI",
     "annotation": "Lay the new parts as MIDI clips too, on muted tracks.",
     "annotation_name": "MIDI"
    }
   },
   {
    "box": {
     "id": "obj-26",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      300.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend style"
    }
   },
   {
    "box": {
     "id": "obj-27",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      324.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend source"
    }
   },
   {
    "box": {
     "id": "obj-28",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      348.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend place"
    }
   },
   {
    "box": {
     "id": "obj-29",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      372.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend energy"
    }
   },
   {
    "box": {
     "id": "obj-30",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      396.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend brightness"
    }
   },
   {
    "box": {
     "id": "obj-31",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      60.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend tempo"
    }
   },
   {
    "box": {
     "id": "obj-32",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      84.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend keep"
    }
   },
   {
    "box": {
     "id": "obj-33",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      108.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend warp"
    }
   },
   {
    "box": {
     "id": "obj-34",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      132.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend locators"
    }
   },
   {
    "box": {
     "id": "obj-35",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      480.0,
      156.0,
      100.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend midi"
    }
   },
   {
    "box": {
     "id": "obj-36",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Remix",
     "presentation": 1,
     "presentation_rect": [
      274.0,
      6.0,
      96.0,
      19.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Remix Button",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Remix Button",
       "parameter_shortname": "Remix",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 0,
     "texton": "Remix",
     "annotation": "Remix this track in the chosen style.",
     "annotation_name": "Remix"
    }
   },
   {
    "box": {
     "id": "obj-37",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      600.0,
      18.0,
      70.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "remix"
    }
   },
   {
    "box": {
     "id": "obj-38",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Separate",
     "presentation": 1,
     "presentation_rect": [
      274.0,
      28.5,
      96.0,
      19.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Separate Button",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Separate Button",
       "parameter_shortname": "Separate",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 0,
     "texton": "Separate",
     "annotation": "Separate this track into stems that add up to it.",
     "annotation_name": "Separate"
    }
   },
   {
    "box": {
     "id": "obj-39",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      600.0,
      85.5,
      70.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "separate"
    }
   },
   {
    "box": {
     "id": "obj-40",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Variation",
     "presentation": 1,
     "presentation_rect": [
      274.0,
      51.0,
      96.0,
      19.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Variation Button",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Variation Button",
       "parameter_shortname": "Variation",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 0,
     "texton": "Variation",
     "annotation": "The remix again, with other notes.",
     "annotation_name": "Variation"
    }
   },
   {
    "box": {
     "id": "obj-41",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      600.0,
      153.0,
      70.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "variation"
    }
   },
   {
    "box": {
     "id": "obj-42",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Sync",
     "presentation": 1,
     "presentation_rect": [
      274.0,
      73.5,
      96.0,
      19.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Sync Button",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Sync Button",
       "parameter_shortname": "Sync",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 0,
     "texton": "Sync",
     "annotation": "Fit this track to the Set's tempo.",
     "annotation_name": "Sync"
    }
   },
   {
    "box": {
     "id": "obj-43",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      600.0,
      220.5,
      70.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "sync"
    }
   },
   {
    "box": {
     "id": "obj-44",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Master",
     "presentation": 1,
     "presentation_rect": [
      274.0,
      96.0,
      96.0,
      19.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Master Button",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Master Button",
       "parameter_shortname": "Master",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 0,
     "texton": "Master",
     "annotation": "Master this track.",
     "annotation_name": "Master"
    }
   },
   {
    "box": {
     "id": "obj-45",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      600.0,
      288.0,
      70.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "master"
    }
   },
   {
    "box": {
     "id": "obj-46",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Land",
     "presentation": 1,
     "presentation_rect": [
      274.0,
      118.5,
      96.0,
      19.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Land Button",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Land Button",
       "parameter_shortname": "Land",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 0,
     "texton": "Land",
     "annotation": "Land what has ended, or go on with a landing that was stopped.",
     "annotation_name": "Land"
    }
   },
   {
    "box": {
     "id": "obj-47",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      600.0,
      355.5,
      70.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "land"
    }
   },
   {
    "box": {
     "id": "obj-48",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "Cancel",
     "presentation": 1,
     "presentation_rect": [
      274.0,
      141.0,
      96.0,
      19.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Cancel Button",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Cancel Button",
       "parameter_shortname": "Cancel",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 0,
     "texton": "Cancel",
     "annotation": "End the recording or the job.",
     "annotation_name": "Cancel"
    }
   },
   {
    "box": {
     "id": "obj-49",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      600.0,
      423.0,
      70.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "cancel"
    }
   },
   {
    "box": {
     "id": "obj-50",
     "maxclass": "live.text",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "text": "NRX Bridge: not connected",
     "presentation": 1,
     "presentation_rect": [
      8.0,
      8.0,
      150.0,
      18.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Light",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Light",
       "parameter_shortname": "Light",
       "parameter_type": 2,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_enum": [
        "off",
        "on"
       ],
       "parameter_mmax": 1
      }
     },
     "mode": 1,
     "texton": "NRX Bridge: connected",
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-51",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      200.0,
      100.0,
      18.0
     ],
     "text": "Starting",
     "presentation": 1,
     "presentation_rect": [
      380.0,
      6.0,
      214.0,
      16.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-52",
     "maxclass": "live.numbox",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      0.0,
      0.0,
      60.0,
      20.0
     ],
     "outlettype": [
      "",
      "float"
     ],
     "presentation": 1,
     "presentation_rect": [
      380.0,
      24.0,
      52.0,
      16.0
     ],
     "parameter_enable": 1,
     "varname": "NRX Percent",
     "saved_attribute_attributes": {
      "valueof": {
       "parameter_longname": "NRX Percent",
       "parameter_shortname": "Percent",
       "parameter_type": 1,
       "parameter_modmode": 0,
       "parameter_invisible": 2,
       "parameter_mmin": 0,
       "parameter_mmax": 100,
       "parameter_initial": [
        0
       ],
       "parameter_initial_enable": 1,
       "parameter_unitstyle": 5
      }
     },
     "ignoreclick": 1
    }
   },
   {
    "box": {
     "id": "obj-53",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      280.0,
      100.0,
      18.0
     ],
     "text": " ",
     "presentation": 1,
     "presentation_rect": [
      438.0,
      24.0,
      156.0,
      16.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-54",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      320.0,
      100.0,
      18.0
     ],
     "text": "This track's clips",
     "presentation": 1,
     "presentation_rect": [
      380.0,
      44.0,
      214.0,
      50.0
     ],
     "linecount": 3,
     "presentation_linecount": 4
    }
   },
   {
    "box": {
     "id": "obj-55",
     "maxclass": "live.comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      700.0,
      360.0,
      100.0,
      18.0
     ],
     "text": " ",
     "presentation": 1,
     "presentation_rect": [
      380.0,
      96.0,
      214.0,
      68.0
     ],
     "linecount": 4,
     "textcolor": [
      0.8,
      0.15,
      0.1,
      1.0
     ],
     "presentation_linecount": 5
    }
   },
   {
    "box": {
     "id": "obj-56",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      320.0,
      520.0,
      80.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-57",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      380.0,
      520.0,
      80.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-58",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      440.0,
      520.0,
      80.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-59",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      500.0,
      520.0,
      80.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-60",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      560.0,
      520.0,
      80.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-61",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      620.0,
      520.0,
      80.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-62",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      700.0,
      500.0,
      160.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend _parameter_range"
    }
   },
   {
    "box": {
     "id": "obj-63",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      700.0,
      530.0,
      80.0,
      22.0
     ],
     "outlettype": [
      ""
     ],
     "text": "prepend set"
    }
   },
   {
    "box": {
     "id": "obj-64",
     "maxclass": "newobj",
     "text": "t b b",
     "numinlets": 1,
     "numoutlets": 2,
     "outlettype": [
      "bang",
      "bang"
     ],
     "patching_rect": [
      20.0,
      150.0,
      40.0,
      22.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-65",
     "maxclass": "message",
     "text": "outputvalue",
     "numinlets": 2,
     "numoutlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      120.0,
      150.0,
      80.0,
      22.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-66",
     "maxclass": "newobj",
     "text": "dspstate~",
     "numinlets": 1,
     "numoutlets": 4,
     "outlettype": [
      "int",
      "float",
      "int",
      "int"
     ],
     "patching_rect": [
      220.0,
      150.0,
      62.0,
      22.0
     ]
    }
   },
   {
    "box": {
     "id": "obj-67",
     "maxclass": "newobj",
     "text": "prepend rate",
     "numinlets": 1,
     "numoutlets": 1,
     "outlettype": [
      ""
     ],
     "patching_rect": [
      220.0,
      180.0,
      80.0,
      22.0
     ]
    }
   }
  ],
  "lines": [
   {
    "patchline": {
     "source": [
      "obj-1",
      0
     ],
     "destination": [
      "obj-2",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-1",
      0
     ],
     "destination": [
      "obj-3",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-1",
      1
     ],
     "destination": [
      "obj-2",
      1
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-1",
      1
     ],
     "destination": [
      "obj-3",
      1
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-5",
      0
     ],
     "destination": [
      "obj-6",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-6",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      0
     ],
     "destination": [
      "obj-8",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      1
     ],
     "destination": [
      "obj-5",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      2
     ],
     "destination": [
      "obj-9",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      3
     ],
     "destination": [
      "obj-3",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-7",
      4
     ],
     "destination": [
      "obj-10",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-10",
      0
     ],
     "destination": [
      "obj-11",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-11",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-13",
      0
     ],
     "destination": [
      "obj-26",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-26",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-15",
      0
     ],
     "destination": [
      "obj-27",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-27",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-17",
      0
     ],
     "destination": [
      "obj-28",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-28",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-18",
      0
     ],
     "destination": [
      "obj-29",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-29",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-19",
      0
     ],
     "destination": [
      "obj-30",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-30",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-21",
      0
     ],
     "destination": [
      "obj-31",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-31",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-22",
      0
     ],
     "destination": [
      "obj-32",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-32",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-23",
      0
     ],
     "destination": [
      "obj-33",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-33",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-24",
      0
     ],
     "destination": [
      "obj-34",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-34",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-25",
      0
     ],
     "destination": [
      "obj-35",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-35",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-36",
      0
     ],
     "destination": [
      "obj-37",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-37",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-38",
      0
     ],
     "destination": [
      "obj-39",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-39",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-40",
      0
     ],
     "destination": [
      "obj-41",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-41",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-42",
      0
     ],
     "destination": [
      "obj-43",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-43",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-44",
      0
     ],
     "destination": [
      "obj-45",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-45",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-46",
      0
     ],
     "destination": [
      "obj-47",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-47",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-48",
      0
     ],
     "destination": [
      "obj-49",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-49",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      0
     ],
     "destination": [
      "obj-56",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-56",
      0
     ],
     "destination": [
      "obj-50",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      1
     ],
     "destination": [
      "obj-57",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-57",
      0
     ],
     "destination": [
      "obj-51",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      2
     ],
     "destination": [
      "obj-58",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-58",
      0
     ],
     "destination": [
      "obj-52",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      3
     ],
     "destination": [
      "obj-59",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-59",
      0
     ],
     "destination": [
      "obj-53",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      4
     ],
     "destination": [
      "obj-60",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-60",
      0
     ],
     "destination": [
      "obj-55",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      5
     ],
     "destination": [
      "obj-61",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-61",
      0
     ],
     "destination": [
      "obj-54",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      6
     ],
     "destination": [
      "obj-62",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-62",
      0
     ],
     "destination": [
      "obj-13",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-9",
      7
     ],
     "destination": [
      "obj-63",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-63",
      0
     ],
     "destination": [
      "obj-13",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-4",
      0
     ],
     "destination": [
      "obj-64",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-64",
      0
     ],
     "destination": [
      "obj-6",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-64",
      1
     ],
     "destination": [
      "obj-65",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-64",
      1
     ],
     "destination": [
      "obj-10",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-64",
      1
     ],
     "destination": [
      "obj-66",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-66",
      1
     ],
     "destination": [
      "obj-67",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-67",
      0
     ],
     "destination": [
      "obj-7",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-13",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-15",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-17",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-18",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-19",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-21",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-22",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-23",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-24",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "obj-65",
      0
     ],
     "destination": [
      "obj-25",
      0
     ]
    }
   }
  ],
  "parameters": {
   "obj-10": [
    "nrx_state",
    "State",
    0
   ],
   "obj-13": [
    "NRX Style",
    "Style",
    0
   ],
   "obj-15": [
    "NRX Source",
    "Source",
    0
   ],
   "obj-17": [
    "NRX Landing",
    "Landing",
    0
   ],
   "obj-18": [
    "NRX Energy",
    "Energy",
    0
   ],
   "obj-19": [
    "NRX Brightness",
    "Bright",
    0
   ],
   "obj-21": [
    "NRX Tempo",
    "Tempo",
    0
   ],
   "obj-22": [
    "NRX Keep Vocals",
    "Vocals",
    0
   ],
   "obj-23": [
    "NRX Follow Tempo",
    "Warp",
    0
   ],
   "obj-24": [
    "NRX Locators",
    "Locators",
    0
   ],
   "obj-25": [
    "NRX MIDI",
    "MIDI",
    0
   ],
   "obj-36": [
    "NRX Remix Button",
    "Remix",
    0
   ],
   "obj-38": [
    "NRX Separate Button",
    "Separate",
    0
   ],
   "obj-40": [
    "NRX Variation Button",
    "Variation",
    0
   ],
   "obj-42": [
    "NRX Sync Button",
    "Sync",
    0
   ],
   "obj-44": [
    "NRX Master Button",
    "Master",
    0
   ],
   "obj-46": [
    "NRX Land Button",
    "Land",
    0
   ],
   "obj-48": [
    "NRX Cancel Button",
    "Cancel",
    0
   ],
   "obj-50": [
    "NRX Light",
    "Light",
    0
   ],
   "obj-52": [
    "NRX Percent",
    "Percent",
    0
   ],
   "parameterbanks": {
    "0": {
     "index": 0,
     "name": "",
     "parameters": [
      "NRX Style",
      "NRX Energy",
      "NRX Brightness",
      "-",
      "-",
      "-",
      "-",
      "-"
     ]
    }
   }
  },
  "dependency_cache": [
   {
    "name": "nrx.js",
    "bootpath": ".",
    "type": "TEXT",
    "implicit": 1
   }
  ],
  "latency": 0,
  "is_mpe": 0,
  "minimum_live_version": "11.0",
  "minimum_max_version": "8.1",
  "platform_compatibility": 0,
  "project": {
   "version": 1,
   "creationdate": 3846614400,
   "modificationdate": 3846614400,
   "viewrect": [
    0.0,
    0.0,
    300.0,
    500.0
   ],
   "autoorganize": 1,
   "hideprojectwindow": 1,
   "showdependencies": 1,
   "autolocalize": 0,
   "contents": {
    "patchers": {},
    "code": {
     "nrx.js": {
      "kind": "javascript",
      "local": 1
     }
    }
   },
   "layout": {},
   "searchpath": {},
   "detailsvisible": 0,
   "amxdtype": 1633771873,
   "readonly": 0,
   "devpathtype": 0,
   "devpath": ".",
   "sortmode": 0,
   "viewmode": 0
  },
  "autosave": 0
 }
}
